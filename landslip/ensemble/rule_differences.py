"""Differences in F1 of rules, with intervals that hold the spread of their thresholds too."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from landslip.ensemble import metrics
from landslip.ensemble.bootstrap import PERCENTILES, resample_weights
from landslip.ensemble.differences import Estimate
from landslip.ensemble.rules import CrossFittedRule
from landslip.ensemble.threshold import HALF
from landslip.io.arrays import Floats, Labels

Key = TypeVar("Key", bound=Hashable)

_MOST = 2**20  # weights held at once, 8 MB, by each of a few arrays


def compare_rules(
    labels: Labels,
    scores: Floats,
    fold: NDArray[np.int64],
    crossed: Mapping[Key, CrossFittedRule],
    pairs: Sequence[tuple[Key, Key]],
    *,
    resamples: int,
    seed: int,
) -> dict[tuple[Key, Key], Estimate]:
    """F1 of a rule less that of another, for pairs, with paired bootstrap intervals.

    In every resample of the patches, every fold's threshold is chosen anew on the resampled other
    folds; weights and calibration stay. With thresholds as they are, the interval of two rules
    that are equally good misses 0 several times as often as it should.

    Parameters
    ----------
    labels : (n,)
        0 or 1.
    scores : (n, member)
        Probabilities out of fold.
    fold : (n,)
        The fold of each patch.
    crossed
        Name -> a rule that was cross-fitted on them.
    pairs
        Names.
    resamples, seed
        How many, and the run's seed; all rules are measured on the same resamples.
    """
    used = dict.fromkeys(name for pair in pairs if pair[0] != pair[1] for name in pair)
    folds = {name: _ranked(labels, scores, fold, crossed[name]) for name in used}
    drawn: dict[Key, list[Floats]] = {name: [] for name in used}
    for block in resample_weights(len(labels), resamples, seed) if used else ():
        for weights in np.array_split(block, -(-block.size // _MOST)):
            for name, ranked in folds.items():
                drawn[name].append(_resampled_f1(labels, ranked, weights))
    value = {name: metrics.once(metrics.f1, labels, crossed[name].landslide) for name in used}
    values = {name: np.concatenate(parts) for name, parts in drawn.items()}
    found = {}
    for first, second in pairs:
        if first == second:
            found[first, second] = Estimate(value=0.0, low=0.0, high=0.0)
            continue
        low, high = np.percentile(values[first] - values[second], PERCENTILES)
        found[first, second] = Estimate(
            value=value[first] - value[second], low=float(low), high=float(high)
        )
    return found


@dataclass(frozen=True, kw_only=True)
class _Ranked:
    """A fold and the others, whose scores by the fold's rule are sorted once for all resamples."""

    own: NDArray[np.int64]
    probability: Floats
    """(own,)"""
    others: NDArray[np.int64]
    """From the highest score to the lowest."""
    positive: NDArray[np.bool_]
    """(others,)"""
    ends: NDArray[np.int64]
    """(cut,): last place of each score but 0 in `others`, from the lowest score up."""
    thresholds: Floats
    """(cut,): below the score there, as `candidate_thresholds` has them."""


def _ranked(
    labels: Labels, scores: Floats, fold: NDArray[np.int64], crossed: CrossFittedRule
) -> list[_Ranked]:
    ranked = []
    for number, rule in crossed.rules.items():
        own, others = np.flatnonzero(fold == number), np.flatnonzero(fold != number)
        found = rule.apply(scores[others])
        order = np.argsort(-found, kind="stable")
        upper = found[order]
        lower = np.append(upper[1:], 0.0)
        ends = np.flatnonzero(upper != lower)[::-1]
        middle = lower + (upper - lower) / 2
        ranked.append(
            _Ranked(
                own=own,
                probability=crossed.probability[own],
                others=others[order],
                positive=labels[others[order]] == 1,
                ends=ends,
                thresholds=np.where(middle < upper, middle, lower)[ends],
            )
        )
    return ranked


def _resampled_f1(labels: Labels, folds: Sequence[_Ranked], weights: Floats) -> Floats:
    """F1 (resample,) where every fold is decided at the best threshold of the weighted others."""
    truth = labels == 1
    hits = np.zeros(len(weights))
    called = weights[:, truth].sum(axis=1)
    for fold in folds:
        if not len(fold.ends):  # all scores are 0
            continue
        counted = weights[:, fold.others]
        predicted = counted.cumsum(axis=1)
        right = (counted * fold.positive).cumsum(axis=1)
        # At least 1 where anything is right.
        below = np.maximum(predicted[:, fold.ends] + right[:, -1:], 1.0)
        curve = right[:, fold.ends] / below
        best = curve.argmax(axis=1)
        reached = np.take_along_axis(curve, best[:, np.newaxis], axis=1)
        cut = np.where(reached > 0, fold.thresholds[best][:, np.newaxis], HALF)
        own = weights[:, fold.own] * (fold.probability > cut)
        called += own.sum(axis=1)
        hits += own[:, truth[fold.own]].sum(axis=1)
    f1: Floats = np.zeros(len(weights))
    np.divide(2 * hits, called, out=f1, where=called > 0)
    return f1
