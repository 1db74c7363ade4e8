"""Threshold and F1 where landslides are rarer or more common than among the training patches."""

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from landslip.ensemble import measures
from landslip.ensemble.bootstrap import Measure, bootstrap_intervals
from landslip.ensemble.threshold import best_choice, candidate_thresholds

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
    """Estimate threshold and F1 at another share of landslides.

    Landslides are weighted so that they make up the share; how they and the others look is taken
    to stay (label shift).

    Parameters
    ----------
    labels : (n,)
        0 or 1.
    probability : (n,)
        In [0, 1], out of fold.
    fold : (n,)
        The fold of each patch.
    prevalence
        The share, in (0, 1).
    resamples
        Draws of the patches for the intervals.
    seed
        The run's seed.

    Returns
    -------
    dict
        observed, target: the shares, and observed_threshold, target_threshold: the best there.
        rows: for each of several shares, the best threshold, its range when one fold at a time is
        left out, its F1 and that of the threshold which is best at the observed share, all on the
        same patches. observed_f1: at the observed share, cross-fitted; kept and adapted: at the
        target share, with thresholds that are chosen at the observed and at the target share;
        difference: adapted less kept. Each F1 with its 95 % interval. The difference is None where
        a class has no patch.
    """
    observed = float(labels.mean())
    if not 0 < observed < 1:
        return {"observed": observed, "target": prevalence, "rows": [], "difference": None}
    before = best_threshold(labels, probability, np.ones(len(labels)))
    rows: list[dict[str, Any]] = []
    functions: dict[tuple[str, float], Measure] = {}
    for share in sorted({*SHARES, observed, prevalence}):
        weights = label_weights(labels, share)
        threshold = best_threshold(labels, probability, weights)
        others = _others_thresholds(labels, probability, fold, weights).values()
        rows.append(
            {
                "share": share,
                "threshold": threshold,
                "threshold_range": [min(others), max(others)],
            }
        )
        for name, cut in (("f1", threshold), ("f1_kept", before)):
            functions[name, share] = partial(_reweighted_f1, labels, probability > cut, weights)
    weights = label_weights(labels, prevalence)
    kept = _cross_decide(labels, probability, fold, np.ones(len(labels)))
    adapted = _cross_decide(labels, probability, fold, weights)
    functions |= {
        ("observed", observed): partial(measures.f1, labels, kept),
        ("kept", prevalence): partial(_reweighted_f1, labels, kept, weights),
        ("adapted", prevalence): partial(_reweighted_f1, labels, adapted, weights),
        ("difference", prevalence): partial(_difference, labels, adapted, kept, weights),
    }
    intervals = bootstrap_intervals(functions, n=len(labels), resamples=resamples, seed=seed)
    once = np.ones((1, len(labels)))
    values = {key: float(function(once)[0]) for key, function in functions.items()}
    for row in rows:
        for name in ("f1", "f1_kept"):
            row[name] = values[name, row["share"]]
            row[f"{name}_interval"] = intervals[name, row["share"]]
    threshold_of = {row["share"]: row["threshold"] for row in rows}
    return {
        "observed": observed,
        "target": prevalence,
        "observed_threshold": threshold_of[observed],
        "target_threshold": threshold_of[prevalence],
        "rows": rows,
        "observed_f1": {
            "value": values["observed", observed],
            "interval": intervals["observed", observed],
        },
        **{
            name: {"value": values[name, prevalence], "interval": intervals[name, prevalence]}
            for name in ("kept", "adapted", "difference")
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
    labels : (n,)
        0 or 1.
    probability : (n,)
        In [0, 1].
    weights : (n,)
        How much each patch counts.
    """
    return best_choice(labels, probability, candidate_thresholds(probability), weights).threshold


def _others_thresholds(
    labels: Labels, probability: Floats, fold: NDArray[np.int64], weights: Floats
) -> dict[int, float]:
    """Fold -> the best threshold of all other folds."""
    return {
        number: best_threshold(
            labels[fold != number], probability[fold != number], weights[fold != number]
        )
        for number in np.unique(fold).tolist()
    }


def _cross_decide(
    labels: Labels, probability: Floats, fold: NDArray[np.int64], weights: Floats
) -> Decisions:
    chosen = _others_thresholds(labels, probability, fold, weights)
    cut = np.array([chosen[number] for number in fold.tolist()])
    return np.asarray(probability > cut, dtype=np.bool_)


def _reweighted_f1(labels: Labels, decided: Decisions, weights: Floats, drawn: Floats) -> Floats:
    return measures.f1(labels, decided, drawn * weights)


def _difference(
    labels: Labels, first: Decisions, second: Decisions, weights: Floats, drawn: Floats
) -> Floats:
    weighted = drawn * weights
    return measures.f1(labels, first, weighted) - measures.f1(labels, second, weighted)
