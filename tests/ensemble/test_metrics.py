"""Measures over weighted patches, and their bootstrap intervals."""

from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as sklearn_metrics

from landslip.ensemble import metrics
from landslip.ensemble.bootstrap import bootstrap_intervals, resample_weights

score = st.one_of(st.integers(0, 6).map(lambda k: k / 6), st.floats(0, 1))


@st.composite
def weighted(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labels of both classes, scores with ties, and a weight for each; some weights are 0."""
    rows = draw(
        st.lists(st.tuples(st.integers(0, 1), score, st.integers(0, 3)), min_size=1, max_size=30)
    )
    rows += [(0, draw(score), 1), (1, draw(score), 1)]
    labels, scores, weights = (np.array(column) for column in zip(*rows, strict=True))
    return labels.astype(np.int8), scores, weights


def drawn(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The resample itself: each row as often as its weight says."""
    return np.repeat(values, weights)


@given(weighted())
def test_weighted_measures_are_those_of_the_resample(
    data: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> None:
    labels, scores, weights = data
    truth, predicted = drawn(labels, weights), drawn(scores, weights)
    row = weights[np.newaxis].astype(np.float64)
    expected = {
        metrics.auc: sklearn_metrics.roc_auc_score(truth, predicted),
        metrics.average_precision: sklearn_metrics.average_precision_score(truth, predicted),
        metrics.brier: sklearn_metrics.brier_score_loss(truth, predicted),
    }
    for function, value in expected.items():
        np.testing.assert_allclose(function(labels, scores, row), [value], atol=1e-12)
    called = scores > 0.5
    for function, reference in {
        metrics.f1: sklearn_metrics.f1_score,
        metrics.precision: sklearn_metrics.precision_score,
        metrics.recall: sklearn_metrics.recall_score,
    }.items():
        value = reference(truth, drawn(called, weights), zero_division=0)
        np.testing.assert_allclose(function(labels, called, row), [value])


@given(weighted())
def test_the_confusion_counts_every_patch_once(
    data: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> None:
    labels, scores, _ = data
    counts = metrics.confusion(labels, scores > 0.5)
    expected = (
        sklearn_metrics.confusion_matrix(labels, scores > 0.5, labels=[0, 1]).ravel().tolist()
    )
    assert list(counts.values()) == expected


def test_ranking_is_undefined_without_both_classes() -> None:
    labels = np.array([0, 1], dtype=np.int8)
    only_one = np.array([[2.0, 0.0]])
    assert np.isnan(metrics.auc(labels, np.array([0.1, 0.9]), only_one)).all()
    assert np.isnan(metrics.average_precision(labels, np.array([0.1, 0.9]), only_one)).all()


def test_a_resample_draws_as_many_patches_as_there_are() -> None:
    weights = np.concatenate(list(resample_weights(50, 200, seed=1)))
    assert weights.shape == (200, 50)
    assert (weights.sum(axis=1) == 50).all()
    # Drawn with replacement, a patch is left out with probability (1 - 1/n)^n.
    assert (weights == 0).mean() == pytest.approx((1 - 1 / 50) ** 50, abs=0.02)


def test_an_interval_of_a_mean_is_that_of_the_normal_approximation() -> None:
    random = np.random.default_rng(0)
    labels = (random.random(2000) < 0.3).astype(np.int8)
    all_called = np.ones(2000, dtype=bool)
    share = partial(metrics.precision, labels, all_called)
    interval = bootstrap_intervals({"share": share}, n=2000, resamples=2000, seed=3)["share"]
    mean = labels.mean()
    error = 1.96 * np.sqrt(mean * (1 - mean) / 2000)
    assert interval == pytest.approx([mean - error, mean + error], abs=0.15 * error)


def test_measures_share_their_resamples_so_that_they_are_paired() -> None:
    labels = (np.arange(60) % 3 == 0).astype(np.int8)
    called = np.arange(60) % 2 == 0
    measure = partial(metrics.f1, labels, called)
    both = bootstrap_intervals({"a": measure, "b": measure}, n=60, resamples=100, seed=3)
    alone = bootstrap_intervals({"a": measure}, n=60, resamples=100, seed=3)
    assert both["a"] == both["b"] == alone["a"]


def test_a_measure_that_is_never_defined_has_no_interval() -> None:
    labels = np.zeros(5, dtype=np.int8)
    measure = partial(metrics.auc, labels, np.linspace(0, 1, 5))
    assert bootstrap_intervals({"auc": measure}, n=5, resamples=100, seed=0) == {"auc": None}
