"""Whether probabilities mean what they say, before and after they are calibrated."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import expit, logit
from sklearn.isotonic import IsotonicRegression

from landslip.ablation.prevalence import carry_over
from landslip.ensemble import measures
from landslip.ensemble.bootstrap import Measure, bootstrap_intervals
from landslip.ensemble.reliability import BINS, bin_of, reliability
from landslip.ensemble.tables import read_ensemble_oof
from landslip.io.files import write_json
from landslip.models.names import ENSEMBLE

Floats = NDArray[np.float64]
Labels = NDArray[np.int8]
# Labels and probabilities to learn from, probabilities to calibrate -> calibrated.
Method = Callable[[Labels, Floats, Floats], Floats]

_LEAST = 1e-6  # logits of 0 and 1 are infinite


def write_calibration(
    *, oof: Path, prevalence: float, bootstrap: int, seed: int, target: Path
) -> None:
    """Write results/ablation/calibration.json.

    Parameters
    ----------
    oof
        ensemble/oof.parquet.
    prevalence
        Share of landslides that the threshold is carried over to.
    bootstrap, seed
        Resamples of the patches, and the run's seed.
    """
    table = read_ensemble_oof(oof)
    labels, fold = table.labels, table.fold
    models = {ENSEMBLE: table.probability, **table.members}
    calibrated = {
        (name, how): cross_calibrate(labels, scores, fold, method)
        for name, scores in models.items()
        for how, method in METHODS.items()
    }
    functions: dict[tuple[str, str, str], Measure] = {}
    for (name, how), scores in calibrated.items():
        functions[name, how, "brier"] = partial(measures.brier, labels, scores)
        functions[name, how, "ece"] = partial(expected_calibration_error, labels, scores)
    intervals = bootstrap_intervals(functions, n=len(labels), resamples=bootstrap, seed=seed)
    once = np.ones((1, len(labels)))
    scores_of: dict[str, dict[str, dict[str, Any]]] = {}
    for (name, how, measure), function in functions.items():
        entry = scores_of.setdefault(name, {}).setdefault(how, {})
        entry[measure] = float(function(once)[0])
        entry[f"{measure}_interval"] = intervals[name, how, measure]
    write_json(
        target,
        {
            "bins": BINS,
            "scores": scores_of,
            "reliability": {
                how: reliability(labels, calibrated[ENSEMBLE, how]).to_dict("records")
                for how in METHODS
            },
            "prevalence": carry_over(
                labels, table.probability, fold, prevalence, resamples=bootstrap, seed=seed
            ),
            "bootstrap": bootstrap,
            "split_digest": table.split_digest,
        },
    )


def cross_calibrate(
    labels: Labels, probability: Floats, fold: NDArray[np.int64], method: Method
) -> Floats:
    """Calibrate every fold by what the other folds teach.

    Parameters
    ----------
    labels, probability, fold : (n,)

    Returns
    -------
    (n,), in [0, 1]
    """
    calibrated = np.empty(len(labels))
    for number in np.unique(fold):
        own = fold == number
        calibrated[own] = method(labels[~own], probability[~own], probability[own])
    return calibrated


def leave(labels: Labels, known: Floats, probability: Floats) -> Floats:
    """As predicted."""
    return probability


def isotonic(labels: Labels, known: Floats, probability: Floats) -> Floats:
    """The non-decreasing function that fits labels best, by squares."""
    fitted = IsotonicRegression(y_min=0, y_max=1, out_of_bounds="clip").fit(known, labels)
    return np.asarray(fitted.predict(probability), dtype=np.float64)


def temperature(labels: Labels, known: Floats, probability: Floats) -> Floats:
    """Logits divided by the one temperature with the least log loss (Guo et al., ICML 2017)."""
    logits = logit(known.clip(_LEAST, 1 - _LEAST))
    signs = np.where(labels == 1, -1.0, 1.0)

    def loss(log_temperature: float) -> float:
        return float(np.logaddexp(0, signs * logits / np.exp(log_temperature)).mean())

    # exp(±4): from 1/55 to 55.
    found = minimize_scalar(loss, bounds=(-4, 4), method="bounded")
    scaled = logit(probability.clip(_LEAST, 1 - _LEAST)) / np.exp(found.x)
    return np.asarray(expit(scaled), dtype=np.float64)


METHODS: dict[str, Method] = {"none": leave, "temperature": temperature, "isotonic": isotonic}


def expected_calibration_error(labels: Labels, probability: Floats, weights: Floats) -> Floats:
    """Mean distance of predicted and observed share over the bins, by how many are in each.

    Parameters
    ----------
    labels, probability : (n,)
    weights : (resample, n)

    Returns
    -------
    (resample,)
    """
    excess = probability - labels
    bins = bin_of(probability)
    total = weights.sum(axis=1)
    error = np.zeros(len(weights))
    for number in np.unique(bins):
        inside = bins == number
        error += np.abs((weights[:, inside] * excess[inside]).sum(axis=1))
    return np.asarray(error / total, dtype=np.float64)
