"""Rules that combine members: what they learn, what they may see, which is in force."""

import json
from typing import get_args

import numpy as np
import pytest
from scipy.special import expit, logit

from landslip.ensemble.average import average
from landslip.ensemble.bootstrap import resample_weights
from landslip.ensemble.calibration import METHODS
from landslip.ensemble.choice import RuleChoice, choose_rule
from landslip.ensemble.metrics import f1
from landslip.ensemble.rule_differences import compare_rules
from landslip.ensemble.rules import CrossFittedRule, Fit, FittedRule, cross_fit_rule, fit_rule
from landslip.ensemble.threshold import cross_fit, search_exact

Scores = tuple[np.ndarray, np.ndarray, np.ndarray]


def simulate(seed: int, strengths: list[float], n: int = 400, sharpness: float = 1.2) -> Scores:
    """Labels, scores (n, member) of members of those strengths, folds."""
    random = np.random.default_rng(seed)
    labels = (random.random(n) < 0.2).astype(np.int8)
    evidence = (2.0 * labels[:, np.newaxis] - 1) * np.array(strengths)
    scores = expit(sharpness * (evidence + random.normal(size=(n, len(strengths)))) - 1)
    return labels, scores, random.permutation(n) % 4


def choose(drawn: Scores, rule: str = "auto", calibration: str = "auto") -> RuleChoice:
    labels, scores, fold = drawn
    names = [f"m{at}" for at in range(scores.shape[1])]
    return choose_rule(
        labels, scores, fold, names, rule=rule, calibration=calibration, bootstrap=300, seed=42
    )


def crossed_f1(labels: np.ndarray, landslide: np.ndarray) -> float:
    return float(f1(labels, landslide, np.ones((1, len(labels))))[0])


@pytest.mark.parametrize("seed", range(5))
def test_two_good_members_are_not_outvoted_by_seven_that_guess(seed: int):
    strengths = [1.6, 1.4] + [0.0] * 7
    labels, scores, fold = simulate(seed, strengths, sharpness=2.0)
    chosen = choose((labels, scores, fold))
    assert chosen.fit in ("weighted", "stacked", "best")
    best = max(crossed_f1(labels, cross_fit(labels, column, fold).landslide) for column in scores.T)
    assert chosen.best_member_f1.value == best
    in_force = next(
        each for each in chosen.candidates
        if (each.fit, each.calibration) == (chosen.fit, chosen.fitted.calibration)
    )  # fmt: skip
    assert in_force.against_mean.low > 0
    assert in_force.against_best.high >= 0
    assert in_force.f1.value == crossed_f1(labels, chosen.crossed.landslide)
    fresh_labels, fresh, _ = simulate(100 + seed, strengths, n=20_000, sharpness=2.0)
    ranks = [fresh[:, 0], fresh.mean(axis=1), chosen.fitted.apply(fresh)]
    best_alone, mean, reached = (search_exact(fresh_labels, scores).f1 for scores in ranks)
    assert reached > mean + 0.02
    assert reached > best_alone - 0.01


@pytest.mark.parametrize("seed", range(5))
def test_members_of_equal_worth_keep_the_plain_mean(seed: int):
    drawn = simulate(seed, [1.0] * 4, n=600)
    chosen = choose(drawn)
    assert (chosen.fit, chosen.fitted.calibration) == ("mean", "none")
    assert np.array_equal(chosen.crossed.probability, average(drawn[1].T.copy()))
    assert "plain mean" in chosen.why


@pytest.mark.parametrize("rule", get_args(Fit))
@pytest.mark.parametrize("calibration", METHODS)
def test_a_fold_is_judged_by_what_never_saw_its_labels(rule: str, calibration: str):
    labels, scores, fold = simulate(0, [1.2, 0.8, 0.1])
    kinds = {"members": ["a", "b", "c"], "rule": rule, "calibration": calibration}
    before = cross_fit_rule(labels, scores, fold, **kinds)
    shuffled, own = labels.copy(), fold == 1
    shuffled[own] = 1 - shuffled[own]
    after = cross_fit_rule(shuffled, scores, fold, **kinds)
    assert after.rules[1] == before.rules[1]
    assert after.thresholds[1] == before.thresholds[1]
    assert np.array_equal(after.probability[own], before.probability[own])
    if (rule, calibration) != ("mean", "none") and rule != "best":
        assert after.rules[0] != before.rules[0]


@pytest.mark.parametrize("rule", get_args(Fit))
@pytest.mark.parametrize("calibration", METHODS)
def test_a_rule_is_the_same_after_json(rule: str, calibration: str):
    labels, scores, _ = simulate(1, [1.2, 0.8, 0.1])
    fitted = fit_rule(
        labels, scores, members=["a", "b", "c"], rule=rule, calibration=calibration
    )  # fmt: skip
    again = FittedRule.from_json(json.loads(json.dumps(fitted.to_json(), allow_nan=False)))
    assert again == fitted
    found = again.apply(scores)
    assert np.array_equal(found, fitted.apply(scores))
    assert found.min() >= 0 and found.max() <= 1
    assert np.array_equal(found[:7], fitted.apply(scores[:7])), "a patch depends on the others"


def test_stacking_finds_the_logistic_regression_that_made_the_labels():
    random = np.random.default_rng(0)
    logits = random.normal(size=(20000, 3)) * 2
    made = expit(-1 + logits @ [0.7, 0.3, 0.0])
    labels = (random.random(20000) < made).astype(np.int8)
    fitted = fit_rule(
        labels, expit(logits), members=["a", "b", "c"], rule="stacked", calibration="none"
    )
    assert fitted.intercept == pytest.approx(-1, abs=0.1)
    assert fitted.weights == pytest.approx((0.7, 0.3, 0.0), abs=0.05)
    assert min(fitted.weights) >= 0
    plain = expit(fitted.intercept + logit(expit(logits).clip(1e-3, 1 - 1e-3)) @ fitted.weights)
    assert fitted.apply(expit(logits)) == pytest.approx(plain)


def test_the_rule_asked_for_is_in_force_whatever_the_figures():
    drawn = simulate(0, [1.6] + [0.0] * 5)
    for rule in ("mean", "weighted", "stacked"):
        chosen = choose(drawn, rule, "isotonic")
        assert (chosen.fitted.rule, chosen.fitted.calibration) == (rule, "isotonic")
        assert "The config asks for" in chosen.why
        assert [each.fit for each in chosen.candidates] == [rule]


def test_columns_can_be_any_of_the_members():
    labels, scores, fold = simulate(0, [1.6, 0.2, 1.0])
    chosen = choose((labels, scores[:, [2]], fold))
    assert (chosen.fit, chosen.fitted.weights) == ("mean", (1.0,))
    with pytest.raises(ValueError, match="expected"):
        chosen.fitted.apply(scores)


def test_folds_without_a_landslide_are_told_and_nothing_fails():
    labels, scores, _ = simulate(0, [1.0, 0.0], n=60)
    fold = np.arange(60) % 2
    labels[fold == 1] = 0
    chosen = choose((labels, scores, fold))
    said = " ".join(chosen.warnings)
    assert "fold 1 holds no landslide" in said
    assert "the folds other than 0 hold patches of one label alone" in said
    assert chosen.crossed.rules[0].rule == "mean"
    labels[:] = 0
    assert choose((labels, scores, fold)).fit == "mean"


def test_a_missing_score_is_refused():
    labels, scores, _ = simulate(0, [1.0, 0.5])
    fitted = fit_rule(labels, scores, members=["a", "b"], rule="stacked", calibration="none")
    scores[3, 1] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        fitted.apply(scores)


def test_differences_of_rules_choose_thresholds_anew_in_every_resample():
    labels, scores, fold = simulate(3, [1.0, 0.6], n=80)
    scores = scores.round(2)  # ties
    names = ["a", "b"]
    crossed = {
        kind: cross_fit_rule(labels, scores, fold, members=names, rule=kind, calibration="none")
        for kind in ("mean", "stacked")
    }
    pair = ("stacked", "mean")
    found = compare_rules(labels, scores, fold, crossed, [pair], resamples=40, seed=1)[pair]
    values = []
    for weights in np.concatenate(list(resample_weights(80, 40, 1))):
        drawn = {kind: plain_f1(labels, scores, fold, crossed[kind], weights) for kind in crossed}
        values.append(drawn["stacked"] - drawn["mean"])
    assert [found.low, found.high] == pytest.approx(np.percentile(values, [2.5, 97.5]), abs=1e-12)
    once = {kind: plain_f1(labels, scores, fold, crossed[kind], np.ones(80)) for kind in crossed}
    assert found.value == pytest.approx(once["stacked"] - once["mean"])


def weighted_f1(labels: np.ndarray, landslide: np.ndarray, weights: np.ndarray) -> float:
    """scikit-learn's, which takes too long for all thresholds of all resamples."""
    called = weights[landslide].sum() + weights[labels == 1].sum()
    return float(2 * weights[landslide & (labels == 1)].sum() / called) if called else 0.0


def plain_f1(
    labels: np.ndarray,
    scores: np.ndarray,
    fold: np.ndarray,
    crossed: CrossFittedRule,
    weights: np.ndarray,
) -> float:
    """F1 of weighted patches at the other folds' best threshold, tried one by one."""
    landslide = np.zeros(len(labels), dtype=bool)
    for number, rule in crossed.rules.items():
        own, found = fold == number, rule.apply(scores)
        others = np.unique(found[~own])
        cuts = (np.array([0.0, *others[:-1]]) + others) / 2
        tried = [weighted_f1(labels[~own], found[~own] > cut, weights[~own]) for cut in cuts]
        landslide[own] = found[own] > cuts[int(np.argmax(tried))]
    return weighted_f1(labels, landslide, weights)
