"""Whether probabilities mean what they say, before and after they are calibrated."""

from functools import partial
from typing import Any

import numpy as np

from landslip.ablation.prevalence import carry_over
from landslip.ensemble import metrics
from landslip.ensemble.bootstrap import Metric
from landslip.ensemble.calibration import METHODS, Method, cross_calibrate
from landslip.ensemble.differences import estimate
from landslip.ensemble.reliability import BINS, bin_of, reliability
from landslip.ensemble.tables import EnsembleOof
from landslip.io.arrays import Floats, Labels
from landslip.models.names import ENSEMBLE


def analyse_calibration(
    table: EnsembleOof, *, prevalence: float, resamples: int, seed: int
) -> dict[str, Any]:
    """Measure probabilities as predicted and calibrated, and thresholds at other prevalences.

    Parameters
    ----------
    table
        ensemble/oof.parquet.
    prevalence
        Share of landslides that the threshold is carried over to.
    resamples, seed
        Draws of the patches, and the run's seed.

    Returns
    -------
    dict
        The content of calibration.json, see `landslip.ablation.records`.
    """
    labels, fold = table.labels, table.fold
    models = {ENSEMBLE: table.probability, **table.members}
    calibrated = {
        (name, how): cross_calibrate(labels, scores, fold, how)
        for name, scores in models.items()
        for how in METHODS
    }
    functions: dict[tuple[str, Method, str], Metric] = {}
    for (name, how), scores in calibrated.items():
        functions[name, how, "brier"] = partial(metrics.brier, labels, scores)
        functions[name, how, "ece"] = partial(expected_calibration_error, labels, scores)
    estimates = estimate(functions, len(labels), resamples=resamples, seed=seed)
    scores_of: dict[str, dict[str, dict[str, Any]]] = {}
    for (name, how, measure), found in estimates.items():
        entry = scores_of.setdefault(name, {}).setdefault(how, {})
        entry |= {measure: found.value, f"{measure}_interval": found.interval}
    return {
        "bins": BINS,
        "scores": scores_of,
        "reliability": {
            how: reliability(labels, calibrated[ENSEMBLE, how]).to_dict("records")
            for how in METHODS
        },
        "prevalence": carry_over(
            labels, table.probability, fold, prevalence, resamples=resamples, seed=seed
        ),
        "bootstrap": resamples,
        "split_digest": table.split_digest,
    }


def expected_calibration_error(labels: Labels, probability: Floats, weights: Floats) -> Floats:
    """Mean distance of predicted and observed share over the bins, by how many are in each.

    Parameters
    ----------
    labels : (n,)
        0 or 1.
    probability : (n,)
        In [0, 1].
    weights : (resample, n)
        How often each resample holds each patch.

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
