"""Threshold and F1 where landslides are rarer or more common than among the training patches."""

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from landslip.ensemble import measures
from landslip.ensemble.bootstrap import bootstrap_intervals
from landslip.ensemble.threshold import HALF, candidate_thresholds

Floats = NDArray[np.float64]
Labels = NDArray[np.int8]
Decisions = NDArray[np.bool_]

SHARES = (0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5)


def carry_over(
    labels: Labels,
    probability: Floats,
    fold: NDArray[np.int64],
    prevalence: float,
    *,
    resamples: int,
    seed: int,
) -> dict[str, Any]:
    """What becomes of threshold and F1 at another share of landslides.

    Landslides are weighted so that they make up the share; how they and the others look is taken
    to stay (label shift).

    Parameters
    ----------
    labels, probability, fold : (n,)
    prevalence
        The share, in (0, 1).

    Returns
    -------
    dict
        observed, target: the shares; rows: for each of several shares, best threshold and its F1
        and the F1 of the threshold that is best at the observed share, all on the same patches;
        kept and adapted: F1 at the target share, cross-fitted, with thresholds that are chosen
        at the observed and at the target share; difference: adapted less kept, with interval.
        None where a class has no patch.
    """
    observed = float(labels.mean())
    if not 0 < observed < 1:
        return {"observed": observed, "target": prevalence, "rows": [], "difference": None}
    before = best_threshold(labels, probability, np.ones(len(labels)))
    rows = []
    for share in sorted({*SHARES, observed, prevalence}):
        weights = label_weights(labels, share)
        threshold = best_threshold(labels, probability, weights)
        rows.append(
            {
                "share": share,
                "threshold": threshold,
                "f1": _weighted_f1(labels, probability > threshold, weights),
                "f1_kept": _weighted_f1(labels, probability > before, weights),
            }
        )
    weights = label_weights(labels, prevalence)
    kept = _cross_decide(labels, probability, fold, np.ones(len(labels)))
    adapted = _cross_decide(labels, probability, fold, weights)
    functions = {
        "kept": partial(_reweighted_f1, labels, kept, weights),
        "adapted": partial(_reweighted_f1, labels, adapted, weights),
        "difference": partial(_difference, labels, adapted, kept, weights),
    }
    intervals = bootstrap_intervals(functions, n=len(labels), resamples=resamples, seed=seed)
    once = np.ones((1, len(labels)))
    return {
        "observed": observed,
        "target": prevalence,
        "rows": rows,
        **{
            name: {"value": float(function(once)[0]), "interval": intervals[name]}
            for name, function in functions.items()
        },
    }


def label_weights(labels: Labels, share: float) -> Floats:
    """Weights (n,) with which landslides make up the share; all others weigh 1."""
    observed = labels.mean()
    odds = share / (1 - share) * (1 - observed) / observed
    return np.where(labels == 1, odds, 1.0)


def best_threshold(labels: Labels, probability: Floats, weights: Floats) -> float:
    """Threshold of the highest weighted F1; of equal ones the lowest, 0.5 if none is above 0.

    Parameters
    ----------
    labels, probability, weights : (n,)
    """
    thresholds = candidate_thresholds(probability)
    order = np.argsort(probability, kind="stable")
    ranked = weights[order]
    hits = np.append((ranked * labels[order])[::-1].cumsum()[::-1], 0.0)
    called = np.append(ranked[::-1].cumsum()[::-1], 0.0)
    below = np.searchsorted(probability[order], thresholds, side="right")
    f1 = 2 * hits[below] / (called[below] + (weights * labels).sum())
    if len(f1) == 0 or f1.max() == 0:
        return HALF
    return float(thresholds[int(f1.argmax())])


def _cross_decide(
    labels: Labels, probability: Floats, fold: NDArray[np.int64], weights: Floats
) -> Decisions:
    decided = np.zeros(len(labels), dtype=np.bool_)
    for number in np.unique(fold):
        own = fold == number
        threshold = best_threshold(labels[~own], probability[~own], weights[~own])
        decided[own] = probability[own] > threshold
    return decided


def _weighted_f1(labels: Labels, decided: Decisions, weights: Floats) -> float:
    return float(measures.f1(labels, decided, weights[np.newaxis])[0])


def _reweighted_f1(labels: Labels, decided: Decisions, weights: Floats, drawn: Floats) -> Floats:
    return measures.f1(labels, decided, drawn * weights)


def _difference(
    labels: Labels, first: Decisions, second: Decisions, weights: Floats, drawn: Floats
) -> Floats:
    weighted = drawn * weights
    return measures.f1(labels, first, weighted) - measures.f1(labels, second, weighted)
