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
# Harm that is tried, as a multiple of the loss that is promised.
_HARMS = (4.0, 3.0, 2.0, 1.5, 1.0, 0.5, 0.0)


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
    most_harm = choose_harm(
        labels, said, decides, oof.fold, threshold=threshold, most_loss=most_loss
    )
    bounds, decided = NEVER, decides
    if most_harm is not None:
        bounds = choose_bounds(labels, said, decides, threshold=threshold, most_harm=most_harm)
        decided = cross_fitted_decisions(
            labels, said, decides, oof.fold, threshold=threshold, most_harm=most_harm
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


def choose_harm(
    labels: Labels,
    cheap: Floats,
    full: Decisions,
    fold: NDArray[np.int64],
    *,
    threshold: float,
    most_loss: float,
) -> float | None:
    """The greatest harm with which a cascade keeps its promise on folds that did not choose it.

    Parameters
    ----------
    labels, cheap, full, threshold
        See `choose_bounds`.
    fold : (n,)
        Of each patch.
    most_loss
        Of F1, against the full ensemble's: the promise.

    Returns
    -------
    float or None
        As `choose_bounds` has it; None where none keeps the promise. As that may be luck, the next
        smaller one must keep it as well.
    """
    least = f1_of(labels, full) - most_loss
    tried = [share * most_loss for share in _HARMS]

    def keeps(most_harm: float) -> bool:
        decided = cross_fitted_decisions(
            labels, cheap, full, fold, threshold=threshold, most_harm=most_harm
        )
        return f1_of(labels, decided) >= least

    kept = [keeps(most_harm) for most_harm in tried]
    both = [one and other for one, other in pairwise([*kept, kept[-1]])]
    return next(compress(tried, both), None)


def choose_bounds(
    labels: Labels, cheap: Floats, full: Decisions, *, threshold: float, most_harm: float
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
    most_harm
        Of F1 on these patches, that landslides which are no longer found and false alarms that are
        added may cost. What cheap members decide better is not counted: of hundreds of bounds
        those with much of it would be chosen, by luck, and on other patches it is not there.
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
    # Below `low` what the full ensemble finds is lost, above `high` what it does not call is added.
    lost, alarms = _sums(truth & decided)[below], _sums(~truth & ~decided)
    added = alarms[total] - alarms[above]
    size = max(int(decided.sum() + truth.sum()), 1)
    hits = int((truth & decided).sum())
    f1 = 2 * (hits - lost) / np.maximum(size - lost + added, 1)
    kept = (below <= above) & (f1 >= 2 * hits / size - most_harm)
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
    most_harm: float,
) -> Decisions:
    """What a cascade decides on every fold with the bounds that the other folds choose."""
    decided = np.zeros(len(labels), np.bool_)
    for number in np.unique(fold):
        own = fold == number
        bounds = choose_bounds(
            labels[~own], cheap[~own], full[~own], threshold=threshold, most_harm=most_harm
        )
        decided[own] = decide(cheap[own], full[own], *bounds)
    return decided


def decide(cheap: Floats, full: Decisions, low: float, high: float) -> Decisions:
    """What a cascade with these bounds decides."""
    return np.where(cheap < low, False, np.where(cheap > high, True, full))


def _sums(flags: Decisions) -> NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum(flags)]).astype(np.int64)
