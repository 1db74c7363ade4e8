"""Members asked one after another until they are sure: bounds, chosen for a stated loss of F1."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import compress, pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from landslip.bundle.record import CascadeRecord
from landslip.ensemble.combine import cross_fit_columns, f1_of
from landslip.ensemble.out_of_fold import OutOfFold
from landslip.ensemble.records import CombinationRecord
from landslip.ensemble.rules import CrossFittedRule, FittedRule
from landslip.ensemble.threshold import candidate_thresholds
from landslip.io.arrays import Decisions, Floats, Labels

# Bounds that are tried on each side.
_TRIED = 200
# Harm that is tried, as a multiple of the loss that is promised.
_HARMS = (4.0, 3.0, 2.0, 1.5, 1.0, 0.5, 0.0)
# Of its standard error, what a loss must keep from the promise. Over 60 simulated draws each of
# 300, 900 and 2,000 patches, new ones then lost at most 0.0026 on average, with one stage, three or
# six; without it up to 0.004 with one stage and 0.005 with seven.
_MARGIN = 0.5


class Bounds(NamedTuple):
    """Between them the next stage is asked."""

    low: float
    """A patch of lower probability is none."""
    high: float
    """A patch of higher probability is a landslide."""


NEVER = Bounds(0.0, 1.0)
"""Every patch is left to the next stage."""


@dataclass(frozen=True, kw_only=True)
class StageOutputs:
    """What stages and the full ensemble say of n patches."""

    labels: Labels
    """(n,) 0 or 1."""
    stages: Sequence[Floats]
    """Of each stage, the probability (n,) by the members asked so far."""
    thresholds: Sequence[float]
    """Of each stage alone; it lies between the bounds, so that no patch gets an answer that the
    stage itself does not give."""
    full: Decisions
    """(n,) what the full ensemble decides."""

    def __getitem__(self, rows: Decisions) -> "StageOutputs":
        return StageOutputs(
            labels=self.labels[rows],
            stages=[outputs[rows] for outputs in self.stages],
            thresholds=self.thresholds,
            full=self.full[rows],
        )


class Decided(NamedTuple):
    """What a cascade decides of n patches."""

    landslide: Decisions
    """(n,)"""
    stage: NDArray[np.int64]
    """(n,) Number of the stage that decided; as many as there are stages: the full ensemble."""


def order_stages(columns: Sequence[str], operations: Mapping[str, int | None]) -> list[list[str]]:
    """Members that have been asked after each stage: trees, then a network more, cheapest first.

    Parameters
    ----------
    columns
        Of all members.
    operations
        Member -> multiply-adds for a patch; None: trees, which cost little beside any network.

    Returns
    -------
    list of list
        Each in the order of `columns`. The last network is asked by no stage: then all are.
    """
    networks = [name for name in columns if operations[name] is not None]
    cheapest_first = sorted(networks, key=lambda name: operations[name] or 0)
    trees = [name for name in columns if name not in networks]
    asked = [{*trees, *cheapest_first[:count]} for count in range(len(networks))]
    return [[name for name in columns if name in each] for each in asked if each]


def describe_cascade(
    stages: Sequence[CombinationRecord],
    whole: CombinationRecord,
    oof: OutOfFold,
    operations: Mapping[str, int | None],
    most_loss: float,
) -> CascadeRecord:
    """Bounds of stages, that keep their promise on folds that did not choose them.

    Rules and decisions are those of other folds too.

    Parameters
    ----------
    stages, whole
        Of the members that have been asked after each stage, see `order_stages`, and of all.
    oof
        What members say out of fold.
    operations
        See `order_stages`.
    most_loss
        Of F1, that the cascade may cost.
    """
    full = _cross_fit(oof, whole).landslide
    outputs = StageOutputs(
        labels=oof.labels,
        stages=[_cross_fit(oof, each).probability for each in stages],
        thresholds=[each["threshold"] for each in stages],
        full=full,
    )
    most_harm = choose_harm(outputs, oof.fold, most_loss)
    bounds, decided = [NEVER] * len(stages), full
    if most_harm is not None:
        bounds = choose_bounds(outputs, most_harm)
        decided = cross_fitted_decisions(outputs, oof.fold, most_harm)
    stage = decide(outputs.stages, full, bounds).stage
    asked = [*(each["columns"] for each in stages), whole["columns"]]
    return {
        # What is left to the next stage whole needs none of its own.
        "stages": [
            {
                "combination": each,
                "low": own.low,
                "high": own.high,
                "open": float((stage > number).mean()),
            }
            for number, (each, own) in enumerate(zip(stages, bounds, strict=True))
            if own != NEVER
        ],
        "work": _work(stage, asked, operations),
        "f1_full": f1_of(oof.labels, full),
        "f1": f1_of(oof.labels, decided),
        "most_loss": most_loss,
    }


def choose_harm(outputs: StageOutputs, fold: NDArray[np.int64], most_loss: float) -> float | None:
    """The greatest harm with which a cascade keeps its promise on folds that did not choose it.

    Parameters
    ----------
    outputs
        Out of fold.
    fold : (n,)
        Of each patch.
    most_loss
        Of F1, against the full ensemble's: the promise.

    Returns
    -------
    float or None
        As `choose_bounds` has it; None where none keeps the promise. As that may be luck, half a
        standard error is kept from it, and the next smaller one must keep it as well.
    """
    tried = [share * most_loss for share in _HARMS]

    def keeps(most_harm: float) -> bool:
        decided = cross_fitted_decisions(outputs, fold, most_harm)
        loss = f1_of(outputs.labels, outputs.full) - f1_of(outputs.labels, decided)
        return loss + _MARGIN * _error_of_loss(outputs, decided) <= most_loss

    kept = [keeps(most_harm) for most_harm in tried]
    both = [one and other for one, other in pairwise([*kept, kept[-1]])]
    return next(compress(tried, both), None)


def choose_bounds(outputs: StageOutputs, most_harm: float) -> list[Bounds]:
    """Bounds of each stage in turn, so that it leaves the fewest patches to the next.

    Parameters
    ----------
    outputs
        Of patches that are not those on which the bounds are judged.
    most_harm
        Of F1 on these patches, that landslides which are no longer found and false alarms that are
        added may cost, by all stages together. Earlier ones take of it first, as what they decide
        spares the most. What stages decide better is not counted: of hundreds of bounds those with
        much of it would be chosen, by luck, and on other patches it is not there.
    """
    truth, harmed = outputs.labels == 1, outputs.full.copy()
    left = np.ones(len(truth), np.bool_)
    least, found = _f1(harmed, truth) - most_harm, []
    for probability, threshold in zip(outputs.stages, outputs.thresholds, strict=True):
        bounds = _bounds_of_stage(probability, threshold, left, truth, harmed, least)
        low, high = left & (probability < bounds.low), left & (probability > bounds.high)
        harmed[low & truth], harmed[high & ~truth] = False, True
        left &= ~(low | high)
        found.append(bounds)
    return found


def cross_fitted_decisions(
    outputs: StageOutputs, fold: NDArray[np.int64], most_harm: float
) -> Decisions:
    """What a cascade decides on every fold with the bounds that the other folds choose."""
    decided = np.zeros(len(outputs.labels), np.bool_)
    for number in np.unique(fold):
        own = fold == number
        here = outputs[own]
        decided[own] = decide(
            here.stages, here.full, choose_bounds(outputs[~own], most_harm)
        ).landslide
    return decided


def decide(stages: Sequence[Floats], full: Decisions, bounds: Sequence[Bounds]) -> Decided:
    """What a cascade with these bounds decides."""
    landslide, stage = full.copy(), np.full(len(full), len(stages))
    for number, (probability, (low, high)) in enumerate(zip(stages, bounds, strict=True)):
        sure = (stage == len(stages)) & ((probability < low) | (probability > high))
        landslide[sure], stage[sure] = probability[sure] > high, number
    return Decided(landslide, stage)


def _bounds_of_stage(
    probability: Floats,
    threshold: float,
    left: Decisions,
    truth: Decisions,
    decided: Decisions,
    least: float,
) -> Bounds:
    """Bounds that leave the fewest of the patches `left`, with an F1 of all that is not below."""
    cuts = candidate_thresholds(probability[left])
    tried = (
        cuts[np.unique(np.linspace(0, len(cuts) - 1, _TRIED).astype(int))] if len(cuts) else cuts
    )
    lows = np.array([0.0, *tried[tried < threshold], threshold])
    highs = np.array([threshold, *tried[tried > threshold], 1.0])
    order = np.flatnonzero(left)[np.argsort(probability[left], kind="stable")]
    ranked, is_one, called = probability[order], truth[order], decided[order]
    below = np.searchsorted(ranked, lows, side="left")[:, np.newaxis]
    above = np.searchsorted(ranked, highs, side="right")[np.newaxis]
    total = len(ranked)
    # Below `low` what the full ensemble finds is lost, above `high` what it does not call is added.
    lost, alarms = _sums(is_one & called)[below], _sums(~is_one & ~called)
    added = alarms[total] - alarms[above]
    size, hits = int(decided.sum() + truth.sum()), int((truth & decided).sum())
    f1 = 2 * (hits - lost) / np.maximum(size - lost + added, 1)
    asked = np.where((below <= above) & (f1 >= least), above - below, total + 1)
    best = np.unravel_index(int(asked.argmin()), asked.shape)
    # Bounds that stop no patch here might stop new ones, and nothing tells with what harm.
    if asked[best] >= total:
        return NEVER
    return Bounds(float(lows[best[0]]), float(highs[best[1]]))


def _f1(decided: Decisions, truth: Decisions) -> float:
    """As `_bounds_of_stage` computes it, to the last bit."""
    return 2 * int((truth & decided).sum()) / max(int(decided.sum() + truth.sum()), 1)


def _error_of_loss(outputs: StageOutputs, decided: Decisions) -> float:
    """Standard error of the difference in F1, to first order: how other patches would change it."""
    truth, changed = outputs.labels == 1, decided.astype(np.float64) - outputs.full
    # F1 is 2 hits / (called + landslides).
    shares = changed * (2 * truth - _f1(outputs.full, truth))
    return float(np.sqrt((shares**2).sum())) / max(int(outputs.full.sum() + truth.sum()), 1)


def _work(
    stage: NDArray[np.int64],
    asked: Sequence[Sequence[str]],
    operations: Mapping[str, int | None],
) -> float:
    """Multiply-adds of the members asked for a patch, on average, as a share of those of all."""
    sums = np.array([sum(operations[name] or 0 for name in columns) for columns in asked])
    return float(sums[stage].mean() / max(sums[-1], 1))


def _cross_fit(oof: OutOfFold, combination: CombinationRecord) -> CrossFittedRule:
    rule = FittedRule.from_json(combination["rule"])
    return cross_fit_columns(oof, combination["columns"], combination["fit"], rule)


def _sums(flags: Decisions) -> NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum(flags)]).astype(np.int64)
