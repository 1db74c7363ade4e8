"""When networks need not be asked: bounds on what cheap members say, chosen for a stated loss."""

from itertools import compress, pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from landslip.bundle.record import CascadeRecord
from landslip.ensemble.combine import cross_fit_columns, f1_of
from landslip.ensemble.out_of_fold import OutOfFold
from landslip.ensemble.records import CombinationRecord
from landslip.ensemble.rules import FittedRule
from landslip.ensemble.threshold import candidate_thresholds
from landslip.io.arrays import Decisions, Floats, Labels

# Bounds that are tried on each side.
_TRIED = 200
# Margins that are tried, in standard errors of the loss.
_MARGINS = (0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 3.0)


class Bounds(NamedTuple):
    """Between them the full ensemble decides."""

    low: float
    """A patch of lower cheap probability is none."""
    high: float
    """A patch of higher cheap probability is a landslide."""


NEVER = Bounds(0.0, 1.0)
"""The full ensemble decides everything."""


def describe_cascade(
    cheap: CombinationRecord, whole: CombinationRecord, oof: OutOfFold, most_loss: float
) -> CascadeRecord:
    """Bounds on what cheap members say, that keep their promise on folds that did not choose them.

    Rules and decisions are those of other folds too.

    Parameters
    ----------
    cheap, whole
        Of the members that answer first, and of all.
    oof
        What members say out of fold.
    most_loss
        Of F1, that the cascade may cost.
    """
    first, full = (
        cross_fit_columns(oof, each["columns"], each["fit"], FittedRule.from_json(each["rule"]))
        for each in (cheap, whole)
    )
    labels, said, decides = oof.labels, first.probability, full.landslide
    threshold = cheap["threshold"]
    margin = choose_margin(
        labels, said, decides, oof.fold, threshold=threshold, most_loss=most_loss
    )
    bounds, decided = NEVER, decides
    if margin is not None:
        bounds = choose_bounds(
            labels, said, decides, threshold=threshold, most_loss=most_loss, margin=margin
        )
        decided = cross_fitted_decisions(
            labels, said, decides, oof.fold, threshold=threshold, most_loss=most_loss, margin=margin
        )
    left = (said >= bounds.low) & (said <= bounds.high)
    return {
        "cheap": cheap,
        "low": bounds.low,
        "high": bounds.high,
        "stopped": 1 - float(left.mean()),
        "f1_full": f1_of(labels, decides),
        "f1": f1_of(labels, decided),
        "most_loss": most_loss,
    }


def choose_margin(
    labels: Labels,
    cheap: Floats,
    full: Decisions,
    fold: NDArray[np.int64],
    *,
    threshold: float,
    most_loss: float,
) -> float | None:
    """The least margin with which a cascade keeps its promise on folds that did not choose it.

    Of hundreds of bounds that lose little on the patches that they are chosen on, the widest do so
    by luck: with no margin the loss on other patches is some times as large. That a margin keeps
    the promise may be luck too: the next one must keep it as well.

    Parameters
    ----------
    labels, cheap, full, threshold, most_loss
        See `choose_bounds`.
    fold : (n,)
        Of each patch.

    Returns
    -------
    float or None
        In standard errors of the loss; None where none keeps the promise.
    """
    least = f1_of(labels, full) - most_loss

    def keeps(margin: float) -> bool:
        decided = cross_fitted_decisions(
            labels, cheap, full, fold, threshold=threshold, most_loss=most_loss, margin=margin
        )
        return f1_of(labels, decided) >= least

    kept = [keeps(margin) for margin in _MARGINS]
    both = [one and other for one, other in pairwise([*kept, kept[-1]])]
    return next(compress(_MARGINS, both), None)


def choose_bounds(
    labels: Labels,
    cheap: Floats,
    full: Decisions,
    *,
    threshold: float,
    most_loss: float,
    margin: float = 0.0,
) -> Bounds:
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
    margin
        Standard errors of that loss by which it must stay below.

    Notes
    -----
    F1 is 2 tp / (called + positive). To first order a landslide that is no longer found costs
    (2 - F1) / (called + positive), and a false alarm more F1 / (called + positive); each may also
    be gained. They are counted, so the variance of the loss is their number times the square.
    """
    cuts = candidate_thresholds(cheap)
    tried = (
        cuts[np.unique(np.linspace(0, len(cuts) - 1, _TRIED).astype(int))] if len(cuts) else cuts
    )
    lows = np.array([0.0, *tried[tried < threshold], threshold])
    highs = np.array([threshold, *tried[tried > threshold], 1.0])
    order = np.argsort(cheap, kind="stable")
    ranked, truth, decided = cheap[order], labels[order] == 1, full[order]
    below = np.searchsorted(ranked, lows, side="left")[:, np.newaxis]
    above = np.searchsorted(ranked, highs, side="right")[np.newaxis]
    total = len(ranked)
    # Below `low` what the full ensemble calls is lost, above `high` what it does not is won.
    lost, spared = (_sums(part)[below] for part in (truth & decided, ~truth & decided))
    won, alarms = (
        sums[total] - sums[above] for sums in (_sums(truth & ~decided), _sums(~truth & ~decided))
    )
    size = max(int(decided.sum() + truth.sum()), 1)
    hits = int((truth & decided).sum())
    whole = 2 * hits / size
    f1 = 2 * (hits - lost + won) / np.maximum(size - lost - spared + won + alarms, 1)
    spread = np.sqrt((2 - whole) ** 2 * (lost + won) + whole**2 * (spared + alarms)) / size
    kept = (below <= above) & (f1 - margin * spread >= whole - most_loss)
    asked = np.where(kept, above - below, total + 1)
    best = np.unravel_index(int(asked.argmin()), asked.shape)
    if asked[best] > total:
        return NEVER
    return Bounds(float(lows[best[0]]), float(highs[best[1]]))


def cross_fitted_decisions(
    labels: Labels,
    cheap: Floats,
    full: Decisions,
    fold: NDArray[np.int64],
    *,
    threshold: float,
    most_loss: float,
    margin: float = 0.0,
) -> Decisions:
    """What a cascade decides on every fold with the bounds that the other folds choose."""
    decided = np.zeros(len(labels), np.bool_)
    for number in np.unique(fold):
        own = fold == number
        bounds = choose_bounds(
            labels[~own],
            cheap[~own],
            full[~own],
            threshold=threshold,
            most_loss=most_loss,
            margin=margin,
        )
        decided[own] = decide(cheap[own], full[own], *bounds)
    return decided


def decide(cheap: Floats, full: Decisions, low: float, high: float) -> Decisions:
    """What a cascade with these bounds decides."""
    return np.where(cheap < low, False, np.where(cheap > high, True, full))


def _sums(flags: Decisions) -> NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum(flags)]).astype(np.int64)
