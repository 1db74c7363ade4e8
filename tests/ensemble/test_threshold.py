"""The threshold: exact search against all thresholds, the paper's grid, cross-fitting."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import f1_score

from landslip.ensemble.choice import choose_rule
from landslip.ensemble.search import search_threshold
from landslip.ensemble.tables import write_ensemble_oof
from landslip.ensemble.threshold import (
    GRID,
    candidate_thresholds,
    cross_fit,
    f1_at,
    f1_curve,
    search_exact,
    search_grid,
    warnings_about,
)

# Few distinct values, so that ties are common; and any float at all.
score = st.one_of(st.integers(0, 8).map(lambda k: k / 8), st.floats(0, 1))


@st.composite
def scored(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    rows = draw(st.lists(st.tuples(st.integers(0, 1), score), min_size=1, max_size=40))
    return np.array([r[0] for r in rows], dtype=np.int8), np.array([r[1] for r in rows])


def plain_f1(labels: np.ndarray, probability: np.ndarray, threshold: float) -> float:
    called = probability > threshold
    hits = sum(1 for truth, call in zip(labels, called, strict=True) if truth and call)
    wrong = sum(1 for truth, call in zip(labels, called, strict=True) if bool(truth) != bool(call))
    return 2 * hits / (2 * hits + wrong) if hits else 0.0


def best_of_all(labels: np.ndarray, probability: np.ndarray) -> float:
    """The best F1 of all thresholds in [0, 1]: those at a score, and those between."""
    tried = [0.0, 1.0, *probability]
    tried += [np.nextafter(value, -1) for value in probability if value > 0]
    return max(plain_f1(labels, probability, float(value)) for value in tried)


@given(scored())
def test_the_exact_search_finds_the_best_of_all_thresholds(
    data: tuple[np.ndarray, np.ndarray],
) -> None:
    labels, probability = data
    choice = search_exact(labels, probability)
    assert 0 <= choice.threshold <= 1
    assert choice.f1 == best_of_all(labels, probability)
    assert choice.f1 == plain_f1(labels, probability, choice.threshold)


@given(scored())
def test_the_exact_search_is_at_least_as_good_as_the_grid(
    data: tuple[np.ndarray, np.ndarray],
) -> None:
    assert search_exact(*data).f1 >= search_grid(*data).f1


@given(scored(), st.randoms(use_true_random=False))
def test_the_order_of_the_patches_does_not_matter(
    data: tuple[np.ndarray, np.ndarray], random: Any
) -> None:
    labels, probability = data
    order = list(range(len(labels)))
    random.shuffle(order)
    assert search_exact(labels, probability) == search_exact(labels[order], probability[order])
    assert search_grid(labels, probability) == search_grid(labels[order], probability[order])


@given(scored(), st.lists(st.floats(0, 1), min_size=1, max_size=5))
def test_the_curve_is_the_f1_of_each_threshold(
    data: tuple[np.ndarray, np.ndarray], thresholds: list[float]
) -> None:
    labels, probability = data
    expected = [
        f1_score(labels, probability > threshold, zero_division=0) for threshold in thresholds
    ]
    np.testing.assert_allclose(f1_curve(labels, probability, np.array(thresholds)), expected)


@given(scored())
def test_each_candidate_cuts_between_two_scores(data: tuple[np.ndarray, np.ndarray]) -> None:
    _, probability = data
    cuts = [frozenset(np.flatnonzero(probability > c)) for c in candidate_thresholds(probability)]
    assert len(set(cuts)) == len(cuts)
    assert frozenset() not in cuts
    # Every non-empty set that a threshold in [0, 1] can call is among them.
    every = {frozenset(np.flatnonzero(probability > t)) for t in (0.0, *probability)} - {
        frozenset()
    }
    assert every <= set(cuts)


def test_the_threshold_lies_midway_between_neighbouring_scores() -> None:
    labels = np.array([0, 0, 1, 1], dtype=np.int8)
    assert search_exact(labels, np.array([0.1, 0.3, 0.7, 0.9])) == (0.5, 1.0)


def test_adjacent_floating_point_scores_are_told_apart() -> None:
    low = 0.5
    high = np.nextafter(low, 1)
    assert search_exact(np.array([0, 1], dtype=np.int8), np.array([low, high])).f1 == 1.0


def test_the_grid_is_the_papers_and_the_first_of_equal_ones_wins() -> None:
    assert GRID.tolist() == [float(f"0.{percent:02d}") for percent in range(1, 99)]
    labels = np.array([0, 1], dtype=np.int8)
    assert search_grid(labels, np.array([0.205, 0.6])) == (0.21, 1.0)


def test_a_score_at_the_threshold_is_no_landslide() -> None:
    labels = np.array([1], dtype=np.int8)
    assert f1_at(labels, np.array([0.5]), 0.5) == 0.0
    assert f1_at(labels, np.array([0.5]), np.nextafter(0.5, 0)) == 1.0


@pytest.mark.parametrize("search", [search_exact, search_grid])
@pytest.mark.parametrize(
    ("labels", "probability", "f1"),
    [
        ([0, 0, 0], [0.1, 0.5, 0.9], 0.0),  # no landslide
        ([1, 1, 1], [0.2, 0.5, 0.9], 1.0),  # nothing but landslides
        ([1, 0, 0], [0.4, 0.4, 0.4], 0.5),  # all equal
        ([1, 0, 0], [0.0, 0.0, 0.0], 0.0),  # nothing can be above
        ([1, 0, 0], [1.0, 1.0, 1.0], 0.5),
    ],
)
def test_degenerate_predictions_have_a_valid_threshold(
    search: Callable[..., Any], labels: list[int], probability: list[float], f1: float
) -> None:
    choice = search(np.array(labels, dtype=np.int8), np.array(probability))
    assert choice.f1 == f1
    assert 0 <= choice.threshold <= 1


def test_cross_fitting_never_uses_a_folds_own_patches() -> None:
    random = np.random.default_rng(1)
    fold = np.arange(90) % 3
    labels = random.integers(0, 2, 90).astype(np.int8)
    probability = (labels + 2 * random.random(90)) / 3
    before = cross_fit(labels, probability, fold)
    for number in range(3):
        own = fold == number
        planted = cross_fit(np.where(own, 1 - labels, labels).astype(np.int8), probability, fold)
        assert planted.thresholds[number] == before.thresholds[number]
        np.testing.assert_array_equal(planted.landslide[own], before.landslide[own])
        # What is planted does reach the thresholds of the other folds.
        assert planted.thresholds != before.thresholds


def test_cross_fitting_takes_the_other_folds_threshold() -> None:
    labels = np.array([0, 1, 0, 1], dtype=np.int8)
    fold = np.array([0, 0, 1, 1])
    crossed = cross_fit(labels, np.array([0.1, 0.3, 0.6, 0.8]), fold)
    assert crossed.thresholds == pytest.approx({0: 0.7, 1: 0.2})
    assert crossed.landslide.tolist() == [False, False, True, True]


def test_cross_fitting_needs_two_folds() -> None:
    with pytest.raises(ValueError, match="two folds"):
        cross_fit(np.zeros(3, dtype=np.int8), np.zeros(3), np.zeros(3, dtype=np.int64))


def write_ensemble(path: Path, labels: np.ndarray, probability: np.ndarray) -> Path:
    """Predictions of an ensemble of one."""
    ids = [str(number) for number in range(len(labels))]
    split = pd.DataFrame(
        {"id": ids, "fold": np.arange(len(labels)) % 2, "label": labels.astype(np.int8)}
    )
    choice = choose_rule(
        split["label"].to_numpy(), probability[:, np.newaxis], split["fold"].to_numpy(), ["trees"],
        rule="mean", calibration="none", bootstrap=20, seed=1,
    )  # fmt: skip
    members = {"trees": probability}
    write_ensemble_oof(path, split=split, members=members, choice=choice, split_digest="d")
    return path


@pytest.fixture
def oof(tmp_path: Path) -> Path:
    random = np.random.default_rng(2)
    labels = random.integers(0, 2, 200)
    return write_ensemble(tmp_path / "oof.parquet", labels, (labels + 2 * random.random(200)) / 3)


def run(oof: Path, **changes: Any) -> dict[str, Any]:
    target = oof.with_name("threshold.json")
    arguments = {"method": "exact", "bootstrap": 200, "seed": 42} | changes
    search_threshold(oof=oof, target=target, **arguments)
    written: dict[str, Any] = json.loads(target.read_text())
    return written


def test_the_threshold_in_force_is_the_one_that_is_asked_for(oof: Path) -> None:
    exact, grid, fixed = run(oof), run(oof, method="grid"), run(oof, method=0.35)
    assert exact["threshold"] == exact["exact"]["threshold"]
    assert grid["threshold"] == grid["grid"]["threshold"] == exact["grid"]["threshold"]
    assert (fixed["threshold"], fixed["method"]) == (0.35, "fixed")
    assert exact["f1"] == exact["exact"]["f1"] >= max(grid["f1"], fixed["f1"])
    assert exact["warnings"] == []


def test_the_interval_holds_the_cross_fitted_f1(oof: Path) -> None:
    crossed = run(oof)["cross_fitted"]
    low, high = crossed["interval"]
    assert 0 <= low < crossed["f1"] < high <= 1
    assert crossed["thresholds"].keys() == {"0", "1"}


def test_the_same_seed_gives_the_same_file(oof: Path) -> None:
    assert run(oof) == run(oof)
    assert run(oof)["cross_fitted"]["interval"] != run(oof, seed=43)["cross_fitted"]["interval"]


@pytest.mark.parametrize(
    ("labels", "probability", "warning"),
    [
        (np.zeros(6), np.linspace(0.1, 0.6, 6), "is not a landslide"),
        (np.ones(6), np.linspace(0.1, 0.6, 6), "is a landslide"),
        (np.arange(6) % 2, np.full(6, 0.3), "are equal"),
        (np.arange(6) % 2, np.zeros(6), "no probability is above"),
    ],
)
def test_degenerate_predictions_give_a_file_and_a_warning(
    tmp_path: Path, labels: np.ndarray, probability: np.ndarray, warning: str
) -> None:
    written = run(write_ensemble(tmp_path / "oof.parquet", labels, probability))
    assert warning in " ".join(written["warnings"])
    assert 0 <= written["threshold"] <= 1
    assert 0 <= written["cross_fitted"]["f1"] <= 1


def test_ordinary_predictions_give_no_warning() -> None:
    labels = np.array([0, 1], dtype=np.int8)
    assert warnings_about(labels, np.array([0.2, 0.8]), 0.5) == []
