"""Let `ensemble.rule: auto` choose on simulated members, and score what it chose on fresh patches.

Per case and seed: the rule in force; F1 on 20,000 fresh patches of it, of the plain mean and of the
best member, each at the threshold that its out-of-fold predictions gave. Where all members are
worth the same, no rule is better than the mean: how often another is in force is counted, and how
often it would be if the bootstrap left thresholds as they are.
"""

import argparse
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from benchmarks.recording import record
from landslip.ensemble.choice import MEAN, RuleChoice, choose_rule
from landslip.ensemble.differences import compare
from landslip.ensemble.rules import cross_fit_rule, plain_mean
from landslip.ensemble.threshold import f1_at, search_exact
from landslip.io.arrays import Floats, Labels

FRESH = 20_000


@dataclass(frozen=True)
class Case:
    """Members of those strengths, as many landslides, noise that members share."""

    patches: int
    strengths: tuple[float, ...]
    shared: float


CASES = {
    "two good, seven guess": Case(420, (1.5, 1.4, *[0.0] * 7), 0.3),
    "one good, eight guess": Case(420, (1.5, *[0.0] * 8), 0.3),
    "two good, seven fair": Case(840, (1.5, 1.4, *[0.8] * 7), 0.4),
    "all alike, 600": Case(600, (1.0,) * 4, 0.3),
    "all alike, 1500": Case(1500, (1.0,) * 5, 0.6),
}


def main() -> None:
    """Command line: prints a table for people, then one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5, help="default: %(default)s")
    parser.add_argument("--bootstrap", type=int, default=1000, help="default: %(default)s")
    given = parser.parse_args()
    rows = []
    for name, case in CASES.items():
        for seed in range(given.seeds):
            rows.append({"case": name, "seed": seed, **_run(case, seed, given.bootstrap)})
            print(
                f"{name:24}{seed:3}  {rows[-1]['rule']:26}"
                + "".join(f"  {key} {rows[-1][key]:.3f}" for key in ("in_force", "mean", "best")),
                flush=True,
            )
    for name in CASES:
        own = [row for row in rows if row["case"] == name]
        print(
            f"{name}: not the plain mean {sum(row['rule'] != ' '.join(MEAN) for row in own)} of "
            f"{len(own)}; with fixed thresholds {sum(row['fixed_thresholds'] for row in own)}"
        )
    record({"benchmark": "rules", "bootstrap": given.bootstrap, "rows": rows})


def _run(case: Case, seed: int, bootstrap: int) -> dict[str, float | str | bool]:
    random = np.random.default_rng(seed)
    labels, scores = _draw(random, case, case.patches)
    fresh_labels, fresh = _draw(random, case, FRESH)
    fold = random.permutation(case.patches) % 5
    names = [f"member{at}" for at in range(len(case.strengths))]
    chosen = choose_rule(
        labels, scores, fold, names, rule="auto", calibration="auto", bootstrap=bootstrap, seed=seed
    )
    best = names.index(chosen.best_member)
    cut = search_exact(labels, chosen.crossed.probability).threshold
    mean, fresh_mean = (plain_mean(names).apply(values) for values in (scores, fresh))
    return {
        "rule": f"{chosen.fit} {chosen.fitted.calibration}",
        "in_force": f1_at(fresh_labels, chosen.fitted.apply(fresh), cut),
        "mean": f1_at(fresh_labels, fresh_mean, search_exact(labels, mean).threshold),
        "best": f1_at(
            fresh_labels, fresh[:, best], search_exact(labels, scores[:, best]).threshold
        ),
        "fixed_thresholds": _with_fixed_thresholds(chosen, labels, scores, fold, bootstrap, seed),
    }


def _draw(random: np.random.Generator, case: Case, patches: int) -> tuple[Labels, Floats]:
    """Labels (n,) and scores (n, member)."""
    labels = (random.random(patches) < 0.18).astype(np.int8)
    strengths = np.array(case.strengths)
    shared = case.shared * random.normal(size=(patches, 1)) * (strengths > 0)
    evidence = (2.0 * labels[:, np.newaxis] - 1) * strengths + shared
    noise = random.normal(size=(patches, len(strengths)))
    return labels, expit(1.2 * (evidence + noise) - 1)


def _with_fixed_thresholds(
    chosen: RuleChoice, labels: Labels, scores: Floats, fold: NDArray[np.int64], bootstrap: int,
    seed: int,
) -> bool:  # fmt: skip
    """Whether a rule would be better than the mean if resampling left thresholds as they are."""
    names = list(chosen.fitted.members)
    decisions = {
        (each.fit, each.calibration): cross_fit_rule(
            labels, scores, fold, members=names, rule=each.fit, calibration=each.calibration
        ).landslide
        for each in chosen.candidates
    }
    pairs = [(way, MEAN) for way in decisions if way != MEAN]
    _, found = compare(labels, decisions, pairs, resamples=bootstrap, seed=seed)
    return any(difference.low > 0 for difference in found.values())


if __name__ == "__main__":
    main()
