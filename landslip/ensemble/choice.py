"""Which rule combines the members: the plain mean, unless another is better beyond noise."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from landslip.ensemble.calibration import METHODS, Method
from landslip.ensemble.differences import Estimate, compare, difference_to_json
from landslip.ensemble.metrics import f1 as f1_of
from landslip.ensemble.metrics import once
from landslip.ensemble.rule_differences import compare_rules
from landslip.ensemble.rules import (
    CrossFittedRule,
    Fit,
    FittedRule,
    Rule,
    cross_fit_rule,
    fit_rule,
)
from landslip.ensemble.threshold import cross_fit
from landslip.io.arrays import Decisions, Floats, Labels

Way = tuple[Fit, Method]

MEAN: Way = ("mean", "none")
BEST: Way = ("best", "none")

_WORDS: dict[Fit, str] = {
    "mean": "the mean",
    "best": "the best member alone",
    "weighted": "the weighted mean",
    "stacked": "stacking",
}


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A way to combine the members, judged cross-fitted."""

    fit: Fit
    calibration: Method
    f1: Estimate
    against_mean: Estimate
    """Its F1 less that of the plain mean; as a rule has to earn its place, the interval holds the
    spread of thresholds too: see `compare_rules`."""
    against_first: Estimate
    """The same to the first candidate, which is in force where no other is better."""
    against_best: Estimate
    """Its F1 less that of the best single member, with decisions as they are: the interval is the
    narrower, and so the stricter on a rule that must not lose."""

    def to_json(self) -> dict[str, Any]:
        """As builtins."""
        return {
            "fit": self.fit,
            "calibration": self.calibration,
            "f1": self.f1.to_json(),
            "against_mean": difference_to_json(self.against_mean),
            "against_best": difference_to_json(self.against_best),
        }


@dataclass(frozen=True, kw_only=True)
class RuleChoice:
    """The rule in force, and why."""

    fitted: FittedRule
    """On all patches."""
    fit: Fit
    """How the rule in force was fitted."""
    crossed: CrossFittedRule
    """The same way judged on every fold by the other folds."""
    candidates: tuple[Candidate, ...]
    best_member: str
    """With the highest F1 at cross-fitted thresholds."""
    best_member_f1: Estimate
    why: str
    """A sentence or two."""
    warnings: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """As builtins, without the predictions."""
        return {
            "fitted": self.fitted.to_json(),
            "fit": self.fit,
            "why": self.why,
            "best_member": {"name": self.best_member, "f1": self.best_member_f1.to_json()},
            "candidates": [candidate.to_json() for candidate in self.candidates],
            "warnings": list(self.warnings),
        }


def choose_rule(
    labels: Labels,
    scores: Floats,
    fold: NDArray[np.int64],
    members: Sequence[str],
    *,
    rule: Literal["auto"] | Rule,
    calibration: Literal["auto"] | Method,
    bootstrap: int,
    seed: int,
) -> RuleChoice:
    """Fit the rule that is asked for, or choose one, on out-of-fold predictions.

    Every candidate decides on every fold by rule, calibration and threshold of the other folds.
    Of those that are better than the first candidate, the plain mean where all is chosen, by more
    than noise (the paired bootstrap's 95 % interval of the difference in F1 is above 0) the one
    with the highest F1 is in force; if there is none, the first. Where that is worse than the
    best single member by more than noise, the best of the candidates that are not is in force
    instead.

    Parameters
    ----------
    labels, fold : (n,)
        0 or 1, and the fold of each patch.
    scores : (n, member), in [0, 1]
        Any of the members' columns.
    members
        Names of the columns.
    rule, calibration
        auto: chosen. Where one is not, candidates are those that have it.
    bootstrap, seed
        Resamples of the patches, and the run's seed.

    Raises
    ------
    ValueError
        There are fewer than two folds, or a score is NaN.
    """
    ways = _ways(rule, calibration, len(members))
    crossed = {
        way: cross_fit_rule(labels, scores, fold, members=members, rule=way[0], calibration=way[1])
        for way in dict.fromkeys([*ways, MEAN])
    }
    best, alone = _best_member(labels, scores, fold, members)
    decisions = {way: made.landslide for way, made in crossed.items()} | {best: alone}
    f1, to_best = compare(
        labels, decisions, [(way, best) for way in ways], resamples=bootstrap, seed=seed
    )
    pairs = [(way, other) for way in ways for other in dict.fromkeys([MEAN, ways[0]])]
    to_others = compare_rules(labels, scores, fold, crossed, pairs, resamples=bootstrap, seed=seed)
    candidates = {
        way: Candidate(
            fit=way[0],
            calibration=way[1],
            f1=f1[way],
            against_mean=to_others[way, MEAN],
            against_first=to_others[way, ways[0]],
            against_best=to_best[way, best],
        )
        for way in ways
    }
    way = _choose(candidates) if rule == "auto" else _better(candidates)
    return RuleChoice(
        fitted=fit_rule(labels, scores, members=members, rule=way[0], calibration=way[1]),
        fit=way[0],
        crossed=crossed[way],
        candidates=tuple(candidates.values()),
        best_member=best,
        best_member_f1=f1[best],
        why=_why(way, candidates, best),
        warnings=tuple(_warnings(labels, fold)),
    )


def _ways(rule: Literal["auto"] | Rule, calibration: Literal["auto"] | Method, n: int) -> list[Way]:
    """Candidates; the first is in force where no other is better."""
    fits: Sequence[Fit] = ("mean", "weighted", "stacked") if rule == "auto" else (rule,)
    methods = METHODS if calibration == "auto" else (calibration,)
    ways: list[Way] = [(fit, method) for fit in fits for method in methods]
    if rule == "auto" and n > 1:
        # Calibration keeps the order of one member's patches, so it is judged as it predicts.
        ways.append(BEST)
    return ways


def _best_member(
    labels: Labels, scores: Floats, fold: NDArray[np.int64], members: Sequence[str]
) -> tuple[str, Decisions]:
    """The member with the highest F1 at cross-fitted thresholds, and its decisions."""
    alone = {
        name: cross_fit(labels, column, fold).landslide
        for name, column in zip(members, scores.T, strict=True)
    }
    best = max(alone, key=lambda name: once(f1_of, labels, alone[name]))
    return best, alone[best]


def _better(candidates: Mapping[Way, Candidate]) -> Way:
    """The best of those that are better than the first beyond noise; else the first."""
    better = [way for way in candidates if candidates[way].against_first.low > 0]
    return _highest(better or list(candidates)[:1], candidates)


def _choose(candidates: Mapping[Way, Candidate]) -> Way:
    """The same, unless it is below the best member by more than noise."""
    chosen = _better(candidates)
    if candidates[chosen].against_best.high >= 0:
        return chosen
    kept = [way for way in candidates if candidates[way].against_best.high >= 0]
    # Folds may each pick another member, and so be below the one that is best over all.
    return _highest(kept, candidates) if kept else BEST if BEST in candidates else chosen


def _highest(ways: Sequence[Way], candidates: Mapping[Way, Candidate]) -> Way:
    """Of the highest F1; of equal ones the first."""
    return max(ways, key=lambda way: candidates[way].f1.value)


def _why(way: Way, candidates: Mapping[Way, Candidate], best: str) -> str:
    """A sentence on what decided."""
    first, *others = candidates
    if not others:
        return f"The config asks for {in_words(way)}."
    if way == first:
        nearest = _highest(others, candidates)
        return (
            f"None of the {len(others)} other candidates has a significantly higher F1 than "
            f"{in_words(first)}; the best of them, {in_words(nearest)}, differs by "
            f"{_shown(candidates[nearest].against_first)}."
        )
    difference = candidates[way].against_first
    sentence = f"The F1 of {in_words(way)} differs from that of {in_words(first)} by "
    sentence += _shown(difference)
    if difference.low > 0:
        return f"{sentence}: the highest of {len(candidates)} candidates."
    return (
        f"{sentence}; candidates that would be in force before it are significantly below the "
        f"best member, {best}."
    )


def _shown(difference: Estimate) -> str:
    low, high = f"{difference.low:+.4f}", f"{difference.high:+.4f}"
    return f"{difference.value:+.4f} (95 % interval {low} to {high})"


def in_words(way: Way) -> str:
    """A way in a sentence: the mean after isotonic calibration."""
    fit, method = way
    if way == MEAN:
        return "the plain mean"
    return _WORDS[fit] if method == "none" else f"{_WORDS[fit]} after {method} calibration"


def _warnings(labels: Labels, fold: NDArray[np.int64]) -> Iterator[str]:
    """Sentences about folds that teach or judge nothing."""
    for number in np.unique(fold).tolist():
        own = fold == number
        if not labels[own].any():
            yield f"fold {number} holds no landslide: it says little about any rule"
        if len(np.unique(labels[~own])) < 2:
            yield (
                f"the folds other than {number} hold patches of one label alone: fold {number} is "
                "judged with the plain mean"
            )
