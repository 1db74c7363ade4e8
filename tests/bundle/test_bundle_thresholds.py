"""Thresholds on request keep what they promise."""

import numpy as np
import pytest

from landslip.bundle.thresholds import Aim, choose_threshold, conformal_threshold
from landslip.io.files import InputError


def drawn(random: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Labels and scores of exchangeable patches."""
    labels = (random.random(n) < 0.3).astype(np.int8)
    return labels, 1 / (1 + np.exp(-(2 * labels - 1 + random.normal(size=n))))


@pytest.mark.parametrize("recall", [0.8, 0.9, 0.95])
def test_a_promised_recall_is_kept_on_average_over_200_random_splits(recall: float):
    """And it is not kept by calling all of them landslides."""
    random = np.random.default_rng(0)
    labels, scores = drawn(random, 600)
    found, called = [], []
    for _ in range(200):
        order = random.permutation(len(labels))
        own, new = order[:300], order[300:]
        threshold = conformal_threshold(labels[own], scores[own], recall)
        above = scores[new] > threshold
        found.append(above[labels[new] == 1].mean())
        called.append(above.mean())
    error = np.std(found) / np.sqrt(len(found))
    # One draw of 600 patches stands for all: their own spread is in the mean too.
    assert np.mean(found) >= recall - 3 * error
    assert np.mean(found) <= recall + 0.05
    assert np.mean(called) < 0.9


def test_the_bound_is_that_of_conformal_risk_control():
    """Of 19 landslides, 1 in 20 may be missed: none; of 39, one."""
    labels = np.ones(19, np.int8)
    scores = np.linspace(0.1, 0.9, 19)
    assert (scores > conformal_threshold(labels, scores, 0.95)).all()
    assert (scores > conformal_threshold(labels, scores, 0.9)).sum() == 18
    labels, scores = np.ones(39, np.int8), np.linspace(0.1, 0.9, 39)
    assert (scores > conformal_threshold(labels, scores, 0.95)).sum() == 38


def test_a_recall_that_so_few_landslides_cannot_promise_is_refused_with_how_many_can():
    with pytest.raises(InputError, match="from 19 landslides on; the training has 18"):
        conformal_threshold(np.ones(18, np.int8), np.linspace(0, 1, 18), 0.95)


def test_a_precision_holds_from_its_threshold_on():
    labels, scores = drawn(np.random.default_rng(1), 500)
    chosen = choose_threshold(labels, scores, 0.5, Aim(precision=0.8))
    for threshold in [chosen.value, *np.linspace(chosen.value, scores.max() - 1e-6, 20)]:
        above = scores > threshold
        assert labels[above].mean() >= 0.8
    assert chosen.precision == pytest.approx(labels[scores > chosen.value].mean())
    with pytest.raises(InputError, match="no threshold keeps a precision"):
        choose_threshold(1 - labels, scores, 0.5, Aim(precision=0.99))


def test_fewer_landslides_ask_for_a_higher_threshold_and_the_same_share_for_the_same():
    labels, scores = drawn(np.random.default_rng(2), 2000)
    rare, often = (
        choose_threshold(labels, scores, 0.5, Aim(prevalence=share)) for share in (0.02, 0.6)
    )
    same = choose_threshold(labels, scores, 0.5, Aim(prevalence=float(labels.mean())))
    assert rare.value > same.value > often.value
    above = scores > rare.value
    hits, alarms = above[labels == 1].mean() * 0.02, above[labels == 0].mean() * 0.98
    assert rare.precision == pytest.approx(hits / (hits + alarms))


def test_a_named_threshold_is_taken_as_it_is_and_its_cost_is_said():
    labels, scores = drawn(np.random.default_rng(5), 500)
    found = choose_threshold(labels, scores, 0.5, Aim(threshold=0.7))
    assert found.value == 0.7
    assert found.recall == pytest.approx((scores[labels == 1] > 0.7).mean())
    assert found.false_alarms == pytest.approx((scores[labels == 0] > 0.7).mean())
    with pytest.raises(InputError, match="give a threshold, or an aim"):
        Aim(threshold=0.7, prevalence=0.1)
