"""The threshold that maximises F1, searched on a grid and exactly, and F1 cross-fitted.

A patch is a landslide where probability > threshold, strictly, everywhere.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from landslip.io.arrays import Decisions, Floats, Labels

HALF = 0.5
GRID: Floats = np.arange(1, 99) / 100  # the paper's: 0.01 ... 0.98


class Choice(NamedTuple):
    """A threshold and the F1 on the patches that it was chosen on."""

    threshold: float
    f1: float


class CrossFit(NamedTuple):
    """Decisions on every fold at the threshold that the other folds chose."""

    landslide: NDArray[np.bool_]
    thresholds: Mapping[int, float]


def f1_curve(
    labels: Labels, probability: Floats, thresholds: Floats, weights: Floats | None = None
) -> Floats:
    """F1 at each of many thresholds, in O(n log n) for any number of them.

    Parameters
    ----------
    labels, probability : (n,)
        0 or 1, and the score of each patch.
    thresholds : (m,)
        In any order.
    weights : (n,)
        How much each patch counts; None: 1.

    Returns
    -------
    (m,), 0 where nothing is positive and nothing is predicted positive
    """
    order = np.argsort(probability, kind="stable")
    ranked = np.ones(len(labels)) if weights is None else weights[order]
    positives = ranked * labels[order]
    # called[k], hits[k]: all and the positive weight of all but the k lowest scores. Sums of whole
    # numbers are exact.
    called = np.append(ranked[::-1].cumsum()[::-1], 0.0)
    hits = np.append(positives[::-1].cumsum()[::-1], 0.0)
    below = np.searchsorted(probability[order], thresholds, side="right")
    # 2 tp / (2 tp + fp + fn), where tp + fp is called and tp + fn is all that is positive.
    denominator = called[below] + hits[0]
    curve: Floats = np.zeros(len(thresholds))
    np.divide(2.0 * hits[below], denominator, out=curve, where=denominator > 0)
    return curve


def candidate_thresholds(probability: Floats) -> Floats:
    """One threshold for every way to cut the distinct scores that predicts a landslide.

    Midway between neighbouring scores, so that no score lies on it; the lowest is midway between
    0 and the lowest score, and missing where that score is 0, which no threshold in [0, 1] is
    below.

    Parameters
    ----------
    probability : (n,)
        In [0, 1].

    Returns
    -------
    (m,), ascending, m at most the number of distinct scores
    """
    scores = np.unique(probability)
    if len(scores) and scores[0] > 0:
        scores = np.insert(scores, 0, 0.0)
    lower, upper = scores[:-1], scores[1:]
    middle = lower + (upper - lower) / 2
    # Between adjacent floating point numbers the middle may round to the upper one.
    return np.where(middle < upper, middle, lower)


def search_grid(labels: Labels, probability: Floats) -> Choice:
    """The best threshold of the paper's grid; of equal ones the lowest, 0.5 if none is above 0."""
    return best_choice(labels, probability, GRID)


def search_exact(labels: Labels, probability: Floats, weights: Floats | None = None) -> Choice:
    """The best of all thresholds, in O(n log n); of equal cuts the lowest.

    Where no threshold gives an F1 above 0 (no patch is positive, or all scores are 0), it is 0.5.

    Parameters
    ----------
    labels, probability, weights
        As in `f1_curve`.
    """
    return best_choice(labels, probability, candidate_thresholds(probability), weights)


def threshold_in_force(labels: Labels, probability: Floats, method: str | float) -> float:
    """The threshold that a method chooses on cross-fitted probabilities.

    Parameters
    ----------
    labels, probability : (n,)
        0 or 1, and the score of each patch.
    method
        exact or grid, or a number, which is then the threshold.
    """
    if method == "exact":
        return search_exact(labels, probability).threshold
    return search_grid(labels, probability).threshold if method == "grid" else float(method)


def f1_at(labels: Labels, probability: Floats, threshold: float) -> float:
    """F1 of probability > threshold."""
    return float(f1_curve(labels, probability, np.array([threshold]))[0])


def cross_fit(
    labels: Labels, probability: Floats, fold: NDArray[np.int64], weights: Floats | None = None
) -> CrossFit:
    """Decide on every fold with the exact threshold of the other folds' patches.

    Parameters
    ----------
    labels, probability, fold : (n,)
        0 or 1; the score; and the fold of each patch.
    weights : (n,)
        How much each patch counts; None: 1.

    Raises
    ------
    ValueError
        There are fewer than two folds.
    """
    known = np.unique(fold)
    if len(known) < 2:
        raise ValueError(f"cross-fitting needs two folds, got {known.tolist()}")
    landslide = np.zeros(len(labels), dtype=np.bool_)
    thresholds = {}
    for number in known.tolist():
        own = fold == number
        counted = None if weights is None else weights[~own]
        thresholds[number] = search_exact(labels[~own], probability[~own], counted).threshold
        landslide[own] = probability[own] > thresholds[number]
    return CrossFit(landslide, thresholds)


def warnings_about(
    labels: Labels, probability: Floats, threshold: float, called: Decisions | None = None
) -> list[str]:
    """Sentences about data on which scores mean little; `called`: where not by the threshold."""
    above = probability > threshold if called is None else called
    sentences = []
    positives = int(labels.sum())
    if positives in (0, len(labels)):
        which = "a landslide" if positives else "not a landslide"
        sentences.append(f"every one of {len(labels)} patches is {which}: scores mean little")
    if len(np.unique(probability)) == 1:
        sentences.append(f"all {len(labels)} probabilities are equal ({probability[0]:.6g})")
    if not above.any():
        sentences.append(f"no probability is above the threshold {threshold:.6g}: F1 is 0")
    return sentences


def best_choice(
    labels: Labels, probability: Floats, thresholds: Floats, weights: Floats | None = None
) -> Choice:
    """The threshold of the highest F1; of equal ones the first, 0.5 if none is above 0.

    Parameters
    ----------
    labels, probability, thresholds, weights
        As in `f1_curve`.
    """
    curve = f1_curve(labels, probability, thresholds, weights)
    if len(curve) == 0 or curve.max() == 0:
        return Choice(HALF, 0.0)
    first = int(curve.argmax())  # the first of equal ones: strict > when comparing
    return Choice(float(thresholds[first]), float(curve[first]))
