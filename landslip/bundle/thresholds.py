"""Thresholds on request, from out-of-fold scores: for a recall, a precision, a prevalence.

A patch is a landslide where probability > threshold, strictly.
"""

from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from landslip.ensemble.threshold import best_choice, candidate_thresholds
from landslip.io.arrays import Floats, Labels
from landslip.io.files import InputError

ASSUMED = (
    "The promise holds on average over draws of patches, if new landslides are exchangeable with "
    "those of the training: of the same kinds, places and sensors, judged alike. Out-of-fold "
    "scores stand in for those of the bundle, whose members are averaged over folds."
)


@dataclass(frozen=True, kw_only=True)
class Aim:
    """What a threshold is to reach; nothing: what the training chose.

    Raises
    ------
    InputError
        A value is out of range, or two say different thresholds.
    """

    recall: float | None = None
    """Share of landslides to be found; see `conformal_threshold`."""
    precision: float | None = None
    """The lowest threshold from which on the precision on out-of-fold patches is not below it."""
    prevalence: float | None = None
    """Expected share of landslides: patches count so much that it is theirs. Alone: the threshold
    of the highest F1 then."""
    threshold: float | None = None
    """The threshold itself, in place of an aim."""

    def __post_init__(self) -> None:
        for field in fields(self):
            value: Any = getattr(self, field.name)
            number = isinstance(value, int | float | np.number) and not isinstance(value, bool)
            if value is not None and not number:
                raise InputError(f"{field.name} is a number, got {value!r:.40}")
        for name in ("recall", "precision", "prevalence"):
            value = getattr(self, name)
            if value is not None and not 0 < value < 1:
                raise InputError(f"{name} lies between 0 and 1, got {value!r}")
        if self.threshold is not None and not 0 <= self.threshold <= 1:
            raise InputError(f"a threshold lies in [0, 1], got {self.threshold!r}")
        if self.recall is not None and self.precision is not None:
            raise InputError("one threshold cannot promise recall and precision both; name one")
        if self.threshold is not None and self.chooses:
            raise InputError("give a threshold, or an aim that chooses one")

    @property
    def chooses(self) -> bool:
        """Whether a threshold is chosen for it, on out-of-fold patches."""
        return (self.recall, self.precision, self.prevalence) != (None, None, None)


AIMS = tuple(field.name for field in fields(Aim))


@dataclass(frozen=True, kw_only=True)
class Threshold:
    """A threshold and what it gave on out-of-fold patches."""

    value: float
    asked: str
    """In words."""
    recall: float
    precision: float
    """Of what is called a landslide, at the prevalence that was asked for."""
    false_alarms: float
    """Share of the patches without a landslide that are called one: the price."""
    assumes: str

    def __float__(self) -> float:
        return self.value


def conformal_threshold(labels: Labels, probability: Floats, recall: float) -> float:
    """The highest threshold that keeps a recall on average.

    Parameters
    ----------
    labels
        (n,), 0 or 1.
    probability : (n,)
        Of patches that the model was not trained on.
    recall
        Share of landslides that are to be called one.

    Raises
    ------
    InputError
        There are too few landslides to promise it.

    Notes
    -----
    Conformal risk control (Angelopoulos et al., ICLR 2024) with the loss "a landslide is missed":
    of n landslides the k lowest scores may be missed where (k + 1) / (n + 1) <= 1 - recall. A new,
    exchangeable landslide is then missed with at most that probability.
    """
    scores = np.sort(probability[labels == 1])
    n = len(scores)
    # So that 1 - 0.9 of 19 + 1 landslides is 2, not 1.9999999999999996.
    missed = int(np.floor((1 - recall) * (n + 1) + 1e-9)) - 1
    if missed < 0:
        least = int(np.ceil(1 / (1 - recall) - 1e-9)) - 1
        raise InputError(
            f"a recall of {recall:g} can be promised from {least} landslides on; the training has "
            f"{n}. Ask for a lower recall"
        )
    if missed >= n:
        return 1.0
    # The patch of this score itself must be above.
    return float(max(np.nextafter(scores[missed], -np.inf), 0.0))


def choose_threshold(labels: Labels, probability: Floats, usual: float, aim: Aim) -> Threshold:
    """The threshold for an aim.

    Parameters
    ----------
    labels, probability : (n,)
        Out-of-fold patches.
    usual
        The threshold in force where nothing is asked.
    aim
        What is asked.

    Raises
    ------
    InputError
        Nothing fulfils it.
    """
    weights = _weights(labels, aim.prevalence)
    if aim.threshold is not None:
        value, asked = aim.threshold, "the value in predict.threshold"
        assumes = "The figures are those of out-of-fold patches of the training."
    elif aim.recall is not None:
        value = conformal_threshold(labels, probability, aim.recall)
        asked, assumes = f"recall {aim.recall:g}", ASSUMED
    elif aim.precision is not None:
        value = _for_precision(labels, probability, weights, aim.precision)
        asked = f"precision {aim.precision:g}"
        assumes = "An estimate from out-of-fold patches; nothing is promised."
    elif aim.prevalence is not None:
        cuts = candidate_thresholds(probability)
        value = best_choice(labels, probability, cuts, weights).threshold
        asked = "the best F1"
        assumes = "Landslides and other patches are each as in the training; their shares differ."
    else:
        value, asked = usual, "the best F1"
        assumes = "New patches are as the training's."
    called = probability > value
    truth = labels == 1
    hits = float(weights[called & truth].sum())
    alarms = float(weights[called & ~truth].sum())
    if aim.prevalence is not None:
        asked += f" at a prevalence of {aim.prevalence:g}"
    return Threshold(
        value=float(value),
        asked=asked,
        recall=hits / max(float(weights[truth].sum()), 1e-300),
        precision=hits / (hits + alarms) if hits + alarms else 0.0,
        false_alarms=alarms / max(float(weights[~truth].sum()), 1e-300),
        assumes=assumes,
    )


def _weights(labels: Labels, prevalence: float | None) -> Floats:
    """How much each patch counts, so that landslides have the expected share."""
    share = float(labels.mean())
    if prevalence is None or not 0 < share < 1:
        return np.ones(len(labels))
    return np.where(labels == 1, prevalence / share, (1 - prevalence) / (1 - share))


def _for_precision(labels: Labels, probability: Floats, weights: Floats, precision: float) -> float:
    thresholds = candidate_thresholds(probability)
    order = np.argsort(probability, kind="stable")
    called = np.append(weights[order][::-1].cumsum()[::-1], 0.0)
    hits = np.append((weights * labels)[order][::-1].cumsum()[::-1], 0.0)
    at = np.searchsorted(probability[order], thresholds, side="right")
    enough = hits[at] >= precision * called[at]
    below = np.flatnonzero(~enough)
    first = int(below[-1]) + 1 if len(below) else 0
    if first >= len(thresholds):
        best = float((hits[at] / np.maximum(called[at], 1e-300)).max(initial=0.0))
        raise InputError(
            f"no threshold keeps a precision of {precision:g} on out-of-fold patches (the best "
            f"there is {best:.3f}); ask for a lower one"
        )
    return float(thresholds[first])
