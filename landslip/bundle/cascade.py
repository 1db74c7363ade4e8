"""When networks need not be asked: bounds on what cheap members say, chosen for a stated loss."""

import numpy as np
from numpy.typing import NDArray

from landslip.bundle.record import CascadeRecord
from landslip.ensemble.combine import cross_fit_columns, f1_of
from landslip.ensemble.out_of_fold import OutOfFold
from landslip.ensemble.records import CombinationRecord
from landslip.ensemble.rules import FittedRule
from landslip.ensemble.threshold import candidate_thresholds
from landslip.io.arrays import Decisions, Floats, Labels

MOST_LOSS = 0.003
"""Of F1, that a cascade may cost."""

# Bounds that are tried on each side.
_TRIED = 200


def describe_cascade(
    cheap: CombinationRecord, whole: CombinationRecord, oof: OutOfFold
) -> CascadeRecord:
    """Bounds on what cheap members say, chosen on what rules of other folds say and decide.

    Parameters
    ----------
    cheap, whole
        Of the members that answer first, and of all.
    oof
        What members say out of fold.
    """
    first, full = (
        cross_fit_columns(oof, each["columns"], each["fit"], FittedRule.from_json(each["rule"]))
        for each in (cheap, whole)
    )
    limits = {"threshold": cheap["threshold"], "most_loss": MOST_LOSS}
    low, high, stopped = choose_bounds(oof.labels, first.probability, full.landslide, **limits)
    decided = cross_fitted_decisions(
        oof.labels, first.probability, full.landslide, oof.fold, **limits
    )
    return {
        "cheap": cheap,
        "low": low,
        "high": high,
        "stopped": stopped,
        "f1_full": f1_of(oof.labels, full.landslide),
        "f1": f1_of(oof.labels, decided),
        "most_loss": MOST_LOSS,
    }


def choose_bounds(
    labels: Labels, cheap: Floats, full: Decisions, *, threshold: float, most_loss: float
) -> tuple[float, float, float]:
    """Bounds between which the full ensemble decides, so that it is asked for the fewest patches.

    Parameters
    ----------
    labels
        (n,), 0 or 1.
    cheap : (n,)
        Probability of the cheap members.
    full : (n,)
        What the full ensemble decides.
    threshold
        Of the cheap members alone; it lies between the bounds, so that no patch gets an answer that
        they themselves do not give.
    most_loss
        Of F1 on these patches, against the full ensemble's.

    Returns
    -------
    low, high
        A patch of cheap probability below `low` is none, above `high` a landslide.
    stopped
        Share of the patches that end so.
    """
    cuts = candidate_thresholds(cheap)
    tried = (
        cuts[np.unique(np.linspace(0, len(cuts) - 1, _TRIED).astype(int))] if len(cuts) else cuts
    )
    lows = np.array([0.0, *tried[tried < threshold], threshold])
    highs = np.array([threshold, *tried[tried > threshold], 1.0])
    order = np.argsort(cheap, kind="stable")
    ranked, truth, decided = cheap[order], labels[order] == 1, full[order]
    # Sums over all patches below a bound, of the sorted patches.
    hits, called = _sums(truth & decided), _sums(decided)
    positives = _sums(truth)
    below = np.searchsorted(ranked, lows, side="left")[:, np.newaxis]
    above = np.searchsorted(ranked, highs, side="right")[np.newaxis]
    total = len(ranked)
    # Between the bounds the full ensemble's decisions count, above `high` all are landslides.
    found = hits[above] - hits[below] + positives[total] - positives[above]
    claimed = called[above] - called[below] + total - above
    f1 = 2 * found / np.maximum(claimed + positives[total], 1)
    whole = 2 * hits[total] / max(int(called[total] + positives[total]), 1)
    asked = np.where((below <= above) & (f1 >= whole - most_loss), above - below, total + 1)
    best = np.unravel_index(int(asked.argmin()), asked.shape)
    if asked[best] > total:
        return 0.0, 1.0, 0.0
    return float(lows[best[0]]), float(highs[best[1]]), 1 - float(asked[best]) / total


def cross_fitted_decisions(
    labels: Labels,
    cheap: Floats,
    full: Decisions,
    fold: NDArray[np.int64],
    *,
    threshold: float,
    most_loss: float,
) -> Decisions:
    """What a cascade decides on every fold with the bounds that the other folds choose."""
    decided = np.zeros(len(labels), np.bool_)
    for number in np.unique(fold):
        own = fold == number
        low, high, _ = choose_bounds(
            labels[~own], cheap[~own], full[~own], threshold=threshold, most_loss=most_loss
        )
        decided[own] = decide(cheap[own], full[own], low, high)
    return decided


def decide(cheap: Floats, full: Decisions, low: float, high: float) -> Decisions:
    """What a cascade with these bounds decides."""
    return np.where(cheap < low, False, np.where(cheap > high, True, full))


def _sums(flags: Decisions) -> NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum(flags)]).astype(np.int64)
