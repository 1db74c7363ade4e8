"""Metrics of predictions over weighted patches: many weightings, such as resamples, at once.

In all of them: labels (n,) of 0 and 1; weights (resample, n), how often each patch counts; the
result (resample,). With weights of 1 they equal scikit-learn's.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from landslip.io.arrays import Decisions, Floats, Labels


def once(metric: Callable[[Labels, Any, Floats], Floats], labels: Labels, answers: Any) -> float:
    """A metric of decisions or probabilities (n,) of patches that each count once."""
    return float(metric(labels, answers, np.ones((1, len(labels))))[0])


def confusion(labels: Labels, landslide: Decisions) -> dict[str, int]:
    """Counts tn, fp, fn, tp of the decisions (n,)."""
    truth = labels == 1
    return {
        "tn": int((~truth & ~landslide).sum()),
        "fp": int((~truth & landslide).sum()),
        "fn": int((truth & ~landslide).sum()),
        "tp": int((truth & landslide).sum()),
    }


def f1(labels: Labels, landslide: Decisions, weights: Floats) -> Floats:
    """F1 of the decisions (n,), 0 where nothing is and nothing is called a landslide."""
    true_positives, predicted, positives = _counts(labels, landslide, weights)
    return _ratio(2 * true_positives, predicted + positives)


def precision(labels: Labels, landslide: Decisions, weights: Floats) -> Floats:
    """Share of landslides among what is called one, 0 where nothing is."""
    true_positives, predicted, _ = _counts(labels, landslide, weights)
    return _ratio(true_positives, predicted)


def recall(labels: Labels, landslide: Decisions, weights: Floats) -> Floats:
    """Share of the landslides that are called one, 0 where there is none."""
    true_positives, _, positives = _counts(labels, landslide, weights)
    return _ratio(true_positives, positives)


def brier(labels: Labels, probability: Floats, weights: Floats) -> Floats:
    """Mean squared difference of probability (n,) and label."""
    squares = (probability - labels) ** 2
    # Not a matrix product: its order of summation depends on the number of threads.
    return _ratio((weights * squares).sum(axis=1), weights.sum(axis=1), undefined=np.nan)


def auc(labels: Labels, probability: Floats, weights: Floats) -> Floats:
    """Area under the ROC curve: ties count half. NaN where a class has no weight."""
    positive, negative = _by_score(labels, probability, weights)
    lower = np.cumsum(negative, axis=1) - negative
    wins = (positive * (lower + negative / 2)).sum(axis=1)
    pairs = positive.sum(axis=1) * negative.sum(axis=1)
    return _ratio(wins, pairs, undefined=np.nan)


def average_precision(labels: Labels, probability: Floats, weights: Floats) -> Floats:
    """Sum over the distinct scores of precision x gain in recall. NaN without a landslide."""
    positive, negative = _by_score(labels, probability, weights)
    hits = np.cumsum(positive[:, ::-1], axis=1)
    called = hits + np.cumsum(negative[:, ::-1], axis=1)
    total = (positive[:, ::-1] * _ratio(hits, called)).sum(axis=1)
    return _ratio(total, positive.sum(axis=1), undefined=np.nan)


def _counts(labels: Labels, landslide: Decisions, weights: Floats) -> tuple[Floats, Floats, Floats]:
    """Weights of true positives, of what is called a landslide, of what is one.

    Sums of whole numbers are exact, in any order.
    """
    truth = labels == 1
    columns = np.stack([truth & landslide, landslide, truth], axis=1).astype(np.float64)
    true_positives, predicted, positives = (weights @ columns).T
    return true_positives, predicted, positives


def _by_score(labels: Labels, probability: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Weights of positives and negatives at each distinct score, ascending: (resample, score)."""
    order = np.argsort(probability, kind="stable")
    ranked = probability[order]
    starts = np.flatnonzero(np.append(True, ranked[1:] != ranked[:-1]))
    truth = labels[order] == 1
    weights = weights[:, order]
    positive: Floats = np.add.reduceat(weights * truth, starts, axis=1)
    negative: Floats = np.add.reduceat(weights * ~truth, starts, axis=1)
    return positive, negative


def _ratio(above: Floats, below: Floats, undefined: float = 0.0) -> Floats:
    return np.divide(above, below, out=np.full_like(above, undefined), where=below > 0)
