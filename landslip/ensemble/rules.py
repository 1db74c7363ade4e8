"""Rules that combine the members' probabilities: fitted, cross-fitted, applied, as JSON."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter
from scipy.special import expit, logit

from landslip.ensemble.average import average
from landslip.ensemble.calibration import Calibrator, Method, fit_calibrator
from landslip.ensemble.threshold import search_exact
from landslip.ensemble.weights import blend, fit_stack, pick_best, search_weights
from landslip.io.arrays import Floats, Labels

Rule = Literal["mean", "weighted", "stacked"]
# How a rule is fitted: `best`, all weight on one member, is a case of `weighted`.
Fit = Literal["mean", "best", "weighted", "stacked"]

# Logits of the stacked rule end at these odds: else the one patch that a member was sure and
# wrong about would decide.
_LEAST = 1e-3

_KINDS: dict[Fit, Rule] = {"mean": "mean", "stacked": "stacked"}
_WEIGHTS: dict[Fit, Callable[[Labels, Floats], Floats]] = {
    "best": pick_best,
    "weighted": search_weights,
}


@dataclass(frozen=True, kw_only=True)
class FittedRule:
    """How probabilities of members become the ensemble's."""

    rule: Rule
    calibration: Method
    """Of every member, before they are combined."""
    members: tuple[str, ...]
    """In the order of the scores' columns; weights and calibrators are in the same order."""
    weights: tuple[float, ...]
    """None is negative. Of mean and weighted they sum to 1; of stacked they multiply logits."""
    intercept: float = 0.0
    """Of stacked: added to the logits."""
    calibrators: tuple[Calibrator, ...]

    def apply(self, scores: Floats) -> Floats:
        """The ensemble's probability of every patch.

        Parameters
        ----------
        scores : (n, member), in [0, 1]
            The members' probabilities as they predict them, not calibrated.

        Returns
        -------
        (n,), in [0, 1]

        Raises
        ------
        ValueError
            The columns are not as many as the members, or a score is NaN.
        """
        rows = self._calibrated(scores)
        if self.rule == "mean":
            return average(rows)
        if self.rule == "weighted":
            return blend(np.array(self.weights), rows)
        # A sum in the order of the members, as in `blend`.
        joined = (np.array(self.weights)[:, np.newaxis] * _logits(rows)).sum(axis=0)
        return np.asarray(expit(self.intercept + joined), dtype=np.float64)

    def _calibrated(self, scores: Floats) -> Floats:
        if scores.ndim != 2 or scores.shape[1] != len(self.members):
            raise ValueError(f"expected (n, {len(self.members)}) scores, got {scores.shape}")
        if np.isnan(scores).any():
            raise ValueError("a score is NaN; take the rule of the members that have one")
        columns = [
            fitted.apply(column) for fitted, column in zip(self.calibrators, scores.T, strict=True)
        ]
        # Contiguous rows: numpy's order of summation depends on the layout.
        return np.ascontiguousarray(columns)

    def to_json(self) -> dict[str, Any]:
        """As builtins; floats survive JSON exactly."""
        values: dict[str, Any] = _ADAPTER.dump_python(self, mode="json")
        return values

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "FittedRule":
        """What `to_json` gave, which whoever read the file has checked."""
        return _ADAPTER.validate_python(values)


_ADAPTER = TypeAdapter(FittedRule)


@dataclass(frozen=True, kw_only=True)
class CrossFittedRule:
    """A rule judged: every fold by rule, calibration and threshold of the other folds."""

    probability: Floats
    """(n,)"""
    landslide: NDArray[np.bool_]
    """(n,)"""
    thresholds: dict[int, float]
    """Of each fold, chosen on the others."""
    rules: dict[int, FittedRule]
    """Of each fold, fitted on the others."""


def plain_mean(members: Sequence[str]) -> FittedRule:
    """The mean of the members as they predict."""
    return FittedRule(
        rule="mean",
        calibration="none",
        members=tuple(members),
        weights=(1 / len(members),) * len(members),
        calibrators=(Calibrator(),) * len(members),
    )


def fit_rule(
    labels: Labels, scores: Floats, *, members: Sequence[str], rule: Fit, calibration: Method
) -> FittedRule:
    """Fit a rule on predictions of patches that no member was trained on.

    Parameters
    ----------
    labels : (n,), 0 or 1
        Where only one of both is there, nothing can be learned and the plain mean is returned.
    scores : (n, member), in [0, 1]
        Out-of-fold probabilities of each member.
    members
        Names of the columns.
    rule
        mean; weighted: the weights with the best F1; best: all weight on the member with the best
        F1; stacked: a logistic regression on the members' logits, no coefficient negative.
    calibration
        Of each member, fitted on the same patches before the rule.
    """
    if len(np.unique(labels)) < 2:
        return plain_mean(members)
    calibrators = tuple(fit_calibrator(calibration, labels, column) for column in scores.T)
    rows = np.ascontiguousarray(
        [fitted.apply(column) for fitted, column in zip(calibrators, scores.T, strict=True)]
    )
    intercept = 0.0
    if rule == "stacked":
        intercept, weights = fit_stack(labels, _logits(rows))
    elif rule == "mean":
        weights = np.full(len(rows), 1 / len(rows))
    else:
        weights = _WEIGHTS[rule](labels, rows)
    return FittedRule(
        rule=_KINDS.get(rule, "weighted"),
        calibration=calibration,
        members=tuple(members),
        weights=tuple(weights.tolist()),
        intercept=intercept,
        calibrators=calibrators,
    )


def cross_fit_rule(
    labels: Labels,
    scores: Floats,
    fold: NDArray[np.int64],
    *,
    members: Sequence[str],
    rule: Fit,
    calibration: Method,
) -> CrossFittedRule:
    """Predict and decide on every fold by what the other folds alone teach.

    Parameters
    ----------
    labels, fold : (n,)
        0 or 1, and the fold of each patch.
    scores : (n, member)
        As in `fit_rule`.
    members, rule, calibration
        As in `fit_rule`.

    Raises
    ------
    ValueError
        There are fewer than two folds.
    """
    known = np.unique(fold).tolist()
    if len(known) < 2:
        raise ValueError(f"cross-fitting needs two folds, got {known}")
    probability = np.empty(len(labels))
    landslide = np.zeros(len(labels), dtype=np.bool_)
    thresholds, rules = {}, {}
    for number in known:
        own = fold == number
        fitted = fit_rule(
            labels[~own], scores[~own], members=members, rule=rule, calibration=calibration
        )
        threshold = search_exact(labels[~own], fitted.apply(scores[~own])).threshold
        probability[own] = fitted.apply(scores[own])
        landslide[own] = probability[own] > threshold
        thresholds[number], rules[number] = threshold, fitted
    return CrossFittedRule(
        probability=probability, landslide=landslide, thresholds=thresholds, rules=rules
    )


def _logits(rows: Floats) -> Floats:
    found: Floats = logit(rows.clip(_LEAST, 1 - _LEAST))
    return found
