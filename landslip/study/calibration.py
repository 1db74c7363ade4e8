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

from landslip.ensemble import measures
from landslip.ensemble.bootstrap import Measure, bootstrap_intervals
from landslip.ensemble.tables import read_ensemble_oof
from landslip.files import write_json
from landslip.study.prevalence import carry_over

Floats = NDArray[np.float64]
Labels = NDArray[np.int8]
# Labels and probabilities to learn from, probabilities to calibrate -> calibrated.
Method = Callable[[Labels, Floats, Floats], Floats]

BINS = 10
_LEAST = 1e-6  # logits of 0 and 1 are infinite
_Z = 1.959963984540054  # 97.5 % of the normal distribution


def write_calibration(
    *, oof: Path, prevalence: float, bootstrap: int, seed: int, target: Path
) -> None:
    """Write results/study/calibration.json.

    Parameters
    ----------
    oof
        ensemble/oof.parquet.
    prevalence
        Share of landslides that the threshold is carried over to.
    bootstrap, seed
        Resamples of the patches, and the study's seed.
    """
    table = read_ensemble_oof(oof)
    labels, fold = table.labels, table.fold
    models = {"ensemble": table.probability, **table.members}
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
                how: reliability(labels, calibrated["ensemble", how]) for how in METHODS
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


def bin_of(probability: Floats) -> NDArray[np.int64]:
    """Which of BINS equally wide bins; a bin holds its lower edge, the last 1 too."""
    return np.minimum((probability * BINS).astype(np.int64), BINS - 1)


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


def reliability(labels: Labels, probability: Floats) -> list[dict[str, Any]]:
    """Predicted and observed share of landslides in each bin that holds a patch.

    The observed share has Wilson's 95 % interval.
    """
    bins = bin_of(probability)
    rows = []
    for number in np.unique(bins).tolist():
        inside = bins == number
        n, hits = int(inside.sum()), int(labels[inside].sum())
        low, high = wilson(hits, n)
        rows.append(
            {
                "from": number / BINS,
                "to": (number + 1) / BINS,
                "patches": n,
                "predicted": float(probability[inside].mean()),
                "observed": hits / n,
                "low": low,
                "high": high,
            }
        )
    return rows


def wilson(hits: int, n: int) -> tuple[float, float]:
    """95 % interval of a share (Wilson 1927): sensible near 0 and 1 and for small n."""
    share = hits / n
    centre = share + _Z**2 / (2 * n)
    spread = _Z * np.sqrt(share * (1 - share) / n + _Z**2 / (4 * n**2))
    scale = 1 + _Z**2 / n
    return max(0.0, float((centre - spread) / scale)), min(1.0, float((centre + spread) / scale))
