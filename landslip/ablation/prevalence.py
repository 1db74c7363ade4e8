"""Threshold and F1 where landslides are rarer or more common than among the training patches."""

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from landslip.ensemble import metrics
from landslip.ensemble.bootstrap import Metric
from landslip.ensemble.differences import estimate, f1_difference
from landslip.ensemble.threshold import cross_fit, search_exact
from landslip.io.arrays import Floats, Labels

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
    before = search_exact(labels, probability).threshold
    rows: list[dict[str, Any]] = []
    functions: dict[tuple[str, float], Metric] = {}
    for share in sorted({*SHARES, observed, prevalence}):
        weights = label_weights(labels, share)
        threshold = search_exact(labels, probability, weights).threshold
        others = cross_fit(labels, probability, fold, weights).thresholds.values()
        rows.append(
            {
                "share": share,
                "threshold": threshold,
                "threshold_range": [min(others), max(others)],
            }
        )
        for name, cut in (("f1", threshold), ("f1_kept", before)):
            decided = partial(metrics.f1, labels, probability > cut)
            functions[name, share] = partial(_reweighted, decided, weights)
    weights = label_weights(labels, prevalence)
    kept = cross_fit(labels, probability, fold).landslide
    adapted = cross_fit(labels, probability, fold, weights).landslide
    functions["observed", observed] = partial(metrics.f1, labels, kept)
    for name, measure in (
        ("kept", partial(metrics.f1, labels, kept)),
        ("adapted", partial(metrics.f1, labels, adapted)),
        ("difference", partial(f1_difference, labels, adapted, kept)),
    ):
        functions[name, prevalence] = partial(_reweighted, measure, weights)
    found = estimate(functions, len(labels), resamples=resamples, seed=seed)
    for row in rows:
        for name in ("f1", "f1_kept"):
            row[name] = found[name, row["share"]].value
            row[f"{name}_interval"] = found[name, row["share"]].interval
    threshold_of = {row["share"]: row["threshold"] for row in rows}
    return {
        "observed": observed,
        "target": prevalence,
        "observed_threshold": threshold_of[observed],
        "target_threshold": threshold_of[prevalence],
        "rows": rows,
        **{
            key: {"value": estimated.value, "interval": estimated.interval}
            for key, estimated in (
                ("observed_f1", found["observed", observed]),
                *((name, found[name, prevalence]) for name in ("kept", "adapted", "difference")),
            )
        },
    }


def label_weights(labels: Labels, share: float) -> Floats:
    """Weights (n,) with which landslides make up the share; all others weigh 1."""
    observed = labels.mean()
    odds = share / (1 - share) * (1 - observed) / observed
    return np.where(labels == 1, odds, 1.0)


def _reweighted(measure: Metric, weights: Floats, drawn: Floats) -> Floats:
    """A measure where each patch counts for more or less than 1."""
    return measure(drawn * weights)
