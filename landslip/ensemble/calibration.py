"""Calibration of one model's probabilities: fitted on labels, kept as JSON, applied."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from landslip.io.arrays import Floats, Labels

Method = Literal["none", "temperature", "isotonic"]

METHODS: tuple[Method, ...] = get_args(Method)

_LEAST = 1e-6  # logits of 0 and 1 are infinite


@dataclass(frozen=True, kw_only=True)
class Calibrator:
    """A fitted, non-decreasing function from probability to probability."""

    method: Method = "none"
    temperature: float = 1.0
    """That logits are divided by; of the method of that name."""
    scores: tuple[float, ...] = ()
    """Of isotonic: where the function bends, ascending."""
    probabilities: tuple[float, ...] = ()
    """Of isotonic: its values there; straight between them, level outside."""

    def apply(self, probability: Floats) -> Floats:
        """Calibrated probabilities (n,), in [0, 1], of probabilities (n,)."""
        if self.method == "temperature":
            scaled = expit(logit(probability.clip(_LEAST, 1 - _LEAST)) / self.temperature)
            return np.asarray(scaled, dtype=np.float64)
        if self.method == "isotonic":
            found = np.interp(probability, self.scores, self.probabilities)
            return np.asarray(found, dtype=np.float64)
        return probability


def fit_calibrator(method: Method, labels: Labels, probability: Floats) -> Calibrator:
    """Learn how to calibrate one model.

    Parameters
    ----------
    method
        none, as predicted; temperature, logits divided by the one temperature with the least log
        loss; isotonic, the non-decreasing function that fits labels best, by squares.
    labels : (n,)
        0 or 1.
    probability : (n,), in [0, 1]
        Of patches that the model was not trained on.

    Notes
    -----
    Guo et al., On calibration of modern neural networks, ICML 2017; Zadrozny and Elkan, KDD 2002.
    """
    return _FITS[method](labels, probability)


def cross_calibrate(
    labels: Labels, probability: Floats, fold: NDArray[np.int64], method: Method
) -> Floats:
    """Calibrate every fold by what the other folds teach.

    Parameters
    ----------
    labels : (n,)
        0 or 1.
    probability : (n,)
        In [0, 1], out of fold.
    fold : (n,)
        The fold of each patch.
    method
        How each fold is calibrated.

    Returns
    -------
    (n,), in [0, 1]
    """
    calibrated = np.empty(len(labels))
    for number in np.unique(fold):
        own = fold == number
        fitted = fit_calibrator(method, labels[~own], probability[~own])
        calibrated[own] = fitted.apply(probability[own])
    return calibrated


def _leave(labels: Labels, probability: Floats) -> Calibrator:
    return Calibrator()


def _fit_temperature(labels: Labels, probability: Floats) -> Calibrator:
    logits = logit(probability.clip(_LEAST, 1 - _LEAST))
    signs = np.where(labels == 1, -1.0, 1.0)

    def loss(log_temperature: float) -> float:
        return float(np.logaddexp(0, signs * logits / np.exp(log_temperature)).mean())

    # Late, as in `_fit_isotonic`: who only applies a rule waits for neither.
    from scipy.optimize import minimize_scalar

    # exp(±4): from 1/55 to 55.
    found = minimize_scalar(loss, bounds=(-4, 4), method="bounded")
    return Calibrator(method="temperature", temperature=float(np.exp(found.x)))


def _fit_isotonic(labels: Labels, probability: Floats) -> Calibrator:
    from sklearn.isotonic import IsotonicRegression

    fitted = IsotonicRegression(y_min=0, y_max=1, out_of_bounds="clip").fit(probability, labels)
    return Calibrator(
        method="isotonic",
        scores=tuple(fitted.X_thresholds_.tolist()),
        probabilities=tuple(fitted.y_thresholds_.tolist()),
    )


_FITS: dict[Method, Callable[[Labels, Floats], Calibrator]] = {
    "none": _leave,
    "temperature": _fit_temperature,
    "isotonic": _fit_isotonic,
}
