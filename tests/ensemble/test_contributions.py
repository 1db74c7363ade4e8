"""What members bring to the rule in force."""

import numpy as np
import pytest
from scipy.special import expit

from landslip.ensemble.choice import choose_rule
from landslip.ensemble.contributions import decide_with, spare_members
from landslip.ensemble.metrics import f1
from landslip.ensemble.tables import EnsembleOof


def ensemble(strengths: list[float], rule: str) -> EnsembleOof:
    """Members of those strengths, combined by a rule."""
    random = np.random.default_rng(2)
    labels = (random.random(400) < 0.25).astype(np.int8)
    noise = random.normal(size=(400, len(strengths)))
    scores = expit((2.0 * labels[:, np.newaxis] - 1) * np.array(strengths) + noise - 1)
    names, fold = [f"m{at}" for at in range(len(strengths))], np.arange(400) % 4
    choice = choose_rule(
        labels, scores, fold, names, rule=rule, calibration="none", bootstrap=50, seed=1
    )
    return EnsembleOof(
        ids=[str(row) for row in range(400)], fold=fold, labels=labels,
        probability=choice.crossed.probability, members=dict(zip(names, scores.T, strict=True)),
        split_digest="", rule=choice.to_json(), thresholds=choice.crossed.thresholds,
    )  # fmt: skip


@pytest.mark.parametrize("rule", ["mean", "stacked"])
def test_members_that_guess_are_named_and_those_that_know_are_not(rule: str) -> None:
    table = ensemble([1.5, 0.0, 1.5, 0.0], rule)
    found = spare_members(table, resamples=100, seed=1)
    assert set(found["members"]) <= {"m1", "m3"}
    once = np.ones((1, 400))
    whole = f1(table.labels, table.landslide, once)[0]
    kept = [name for name in table.members if name not in found["members"]]
    rest = f1(table.labels, decide_with(table, kept), once)[0]
    assert found["members"], "nothing was left out though two members guess"
    assert found["f1"]["value"] == rest >= whole
    assert found["difference"]["value"] == pytest.approx(rest - whole)


def test_where_every_member_brings_something_none_is_named() -> None:
    found = spare_members(ensemble([1.0, 1.0], "mean"), resamples=100, seed=1)
    assert found == {"members": [], "f1": None, "difference": None}


def test_one_member_is_never_left_out() -> None:
    assert spare_members(ensemble([1.0], "mean"), resamples=50, seed=1)["members"] == []


def test_all_members_decide_as_the_ensemble_does() -> None:
    for rule in ("mean", "weighted", "stacked"):
        table = ensemble([1.0, 0.5, 0.2], rule)
        assert np.array_equal(decide_with(table, list(table.members)), table.landslide)
