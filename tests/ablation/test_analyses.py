"""Weights, calibration and prevalence on made-up predictions whose answer is known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import f1_score

from landslip.ablation import calibration, forest
from landslip.ablation.prevalence import carry_over, label_weights
from landslip.ablation.rows import Row
from landslip.ablation.table import table_of
from landslip.ensemble.calibration import cross_calibrate
from landslip.ensemble.differences import compare
from landslip.ensemble.rules import cross_fit_rule
from landslip.ensemble.threshold import cross_fit, search_exact
from landslip.ensemble.weights import blend, search_weights


def draw(seed: int, n: int = 400) -> tuple[np.ndarray, np.ndarray]:
    """Labels (n,) and probabilities (3, n): a good member, a fair one, and noise."""
    random = np.random.default_rng(seed)
    labels = (random.random(n) < 0.3).astype(np.int8)
    spread = np.array([[0.8], [1.5], [50.0]])
    logits = (2.0 * labels - 1.0) + spread * random.normal(size=(3, n))
    return labels, 1 / (1 + np.exp(-logits))


@given(st.integers(0, 10_000))
@settings(max_examples=10, deadline=None)
def test_weights_are_shares_that_do_not_lose_where_they_were_chosen(seed: int):
    labels, probabilities = draw(seed, 120)
    mean = search_exact(labels, probabilities.mean(axis=0)).f1
    weights = search_weights(labels, probabilities)
    assert (weights >= 0).all()
    assert weights.sum() == pytest.approx(1)
    assert search_exact(labels, blend(weights, probabilities)).f1 >= mean


def test_a_difference_of_equal_decisions_is_nothing_and_of_opposite_ones_is_not_noise():
    labels, probabilities = draw(2)
    right, wrong = labels == 1, labels == 0
    f1, differences = compare(
        labels,
        {"right": right, "wrong": wrong, "fair": probabilities[0] > 0.5},
        [("right", "right"), ("right", "wrong"), ("wrong", "fair")],
        resamples=200,
        seed=42,
    )
    assert f1["right"].value == 1
    same = differences["right", "right"]
    assert (same.value, same.low, same.high) == (0, 0, 0)
    assert same.contains_zero
    assert differences["right", "wrong"].value == 1
    assert differences["wrong", "fair"].high < 0


def test_calibration_brings_overconfident_probabilities_back():
    random = np.random.default_rng(3)
    truth = random.uniform(0.02, 0.98, 4000)
    labels = (random.random(4000) < truth).astype(np.int8)
    odds = (truth / (1 - truth)) ** 3  # logits three times too large
    sharp, fold = odds / (1 + odds), np.arange(4000) % 5
    once = np.ones((1, 4000))
    before = calibration.expected_calibration_error(labels, sharp, once)[0]
    for method in ("temperature", "isotonic"):
        calibrated = cross_calibrate(labels, sharp, fold, method)
        after = calibration.expected_calibration_error(labels, calibrated, once)[0]
        assert after < before / 3
    scaled = cross_calibrate(labels, sharp, fold, "temperature")
    assert scaled == pytest.approx(truth, abs=0.03)


def test_a_fold_is_not_calibrated_by_its_own_labels():
    labels, probabilities = draw(4)
    fold = np.arange(len(labels)) % 4
    flipped = np.where(fold == 0, 1 - labels, labels).astype(np.int8)
    for method in ("temperature", "isotonic"):
        first = cross_calibrate(labels, probabilities[0], fold, method)
        second = cross_calibrate(flipped, probabilities[0], fold, method)
        assert (first[fold == 0] == second[fold == 0]).all()


@pytest.mark.parametrize("share", [0.05, 0.1141, 0.5])
def test_weighted_landslides_make_up_the_share(share: float):
    labels, _ = draw(5)
    weights = label_weights(labels, share)
    assert weights[labels == 1].sum() / weights.sum() == pytest.approx(share)


@given(st.integers(0, 10_000), st.floats(0.02, 0.9))
@settings(max_examples=20, deadline=None)
def test_no_threshold_beats_the_best_of_a_weighting(seed: int, share: float):
    labels, probabilities = draw(seed, 60)
    weights, scores = label_weights(labels, share), probabilities[1]

    found = search_exact(labels, scores, weights)
    called = scores > found.threshold
    assert found.f1 == pytest.approx(f1_score(labels, called, sample_weight=weights))
    hits = [weights[(scores >= cut) & (labels == 1)].sum() for cut in scores]
    called_weight = [weights[scores >= cut].sum() for cut in scores]
    tried = 2 * np.array(hits) / (np.array(called_weight) + weights[labels == 1].sum())
    assert found.f1 == pytest.approx(tried.max())


def test_equal_weights_choose_the_threshold_that_none_do():
    labels, probabilities = draw(6)
    expected = search_exact(labels, probabilities[0]).threshold
    assert search_exact(labels, probabilities[0], np.ones(len(labels))).threshold == expected


def test_rarer_landslides_ask_for_a_higher_threshold_and_lower_f1():
    labels, probabilities = draw(7, 3000)
    fold = np.arange(3000) % 5
    said = carry_over(labels, probabilities[0], fold, 0.1, resamples=100, seed=42)
    rows = {row["share"]: row for row in said["rows"]}
    assert rows[0.02]["threshold"] > rows[0.5]["threshold"]
    assert rows[0.02]["f1"] < rows[0.5]["f1"]
    assert all(row["f1"] >= row["f1_kept"] for row in said["rows"])
    low, high = said["difference"]["interval"]
    assert low <= said["difference"]["value"] <= high


def test_without_a_landslide_nothing_is_carried_over():
    labels, fold = np.zeros(10, dtype=np.int8), np.arange(10) % 2
    said = carry_over(labels, np.linspace(0, 1, 10), fold, 0.1, resamples=100, seed=42)
    assert said["difference"] is None


def test_an_interval_that_contains_zero_is_drawn_hollow_and_dashed():
    noise = forest.mark(0.01, -0.01, 0.03, scale=0.05, noise=True)
    clear = forest.mark(-0.02, -0.03, -0.01, scale=0.05, noise=False)
    assert "stroke-dasharray" in noise
    assert "<circle" in noise
    assert "stroke-dasharray" not in clear
    assert 'aria-label="-0.0200, -0.0300 to -0.0100, lower"' in clear
    assert forest.reach([0.013, -0.031]) == 0.04


def test_rows_of_several_models_are_combined_by_the_rule_in_force():
    labels, probabilities = draw(6, n=200)
    fold, names = np.arange(200) % 4, ["a", "b"]
    columns = dict(zip(names, probabilities, strict=False))
    rows = [
        Row(variant="both", members=names, against="a", against_members=["a"]),
        Row(variant="a", members=["a"], against="a", against_members=["a"]),
    ]
    kinds = {"labels": labels, "fold": fold, "resamples": 20, "seed": 1}
    found = table_of(rows, columns, way=("stacked", "isotonic"), **kinds).set_index("variant")
    scores = np.stack(list(columns.values()), axis=1)
    crossed = cross_fit_rule(
        labels, scores, fold, members=names, rule="stacked", calibration="isotonic"
    )
    assert found.loc["both", "f1"] == f1_score(labels, crossed.landslide)
    alone = cross_fit(labels, columns["a"], fold).landslide
    assert found.loc["a", "f1"] == f1_score(labels, alone), "a model alone is as it predicts"
    plain = table_of(rows, columns, way=("mean", "none"), **kinds).set_index("variant")
    assert plain.loc["both", "auc"] != found.loc["both", "auc"]
