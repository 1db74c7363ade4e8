"""The threshold in force, searched on the ensemble's OOF predictions: threshold.json."""

import logging
from functools import partial
from pathlib import Path

from landslip.ensemble.differences import estimate
from landslip.ensemble.metrics import f1
from landslip.ensemble.tables import read_ensemble_oof
from landslip.ensemble.threshold import (
    f1_at,
    search_exact,
    search_grid,
    threshold_in_force,
    warnings_about,
)
from landslip.io.files import write_json

logger = logging.getLogger(__name__)


def search_threshold(
    *, oof: Path, method: str | float, bootstrap: int, seed: int, target: Path
) -> None:
    """Choose the threshold on the ensemble's OOF predictions and write threshold.json.

    Parameters
    ----------
    oof
        ensemble/oof.parquet; the rule that made its probabilities is written too.
    method
        exact or grid, or a number in [0, 1] that is then in force.
    bootstrap
        Resamples for the interval of the cross-fitted F1. Patches are resampled and
        decisions stay, so the interval does not hold the spread of the threshold itself.
    seed
        The run's seed.
    target
        JSON file to write.

    Raises
    ------
    InputError
        The file is damaged.
    """
    table = read_ensemble_oof(oof)
    exact = search_exact(table.labels, table.probability)
    grid = search_grid(table.labels, table.probability)
    threshold = threshold_in_force(table.labels, table.probability, method)
    measure = partial(f1, table.labels, table.landslide)
    found = estimate({"f1": measure}, len(table.labels), resamples=bootstrap, seed=seed)["f1"]
    warnings = [
        *warnings_about(table.labels, table.probability, threshold),
        *table.rule["warnings"],
    ]
    for sentence in warnings:
        logger.warning("%s", sentence)
    write_json(
        target,
        {
            "threshold": threshold,
            "operator": ">",
            "method": method if isinstance(method, str) else "fixed",
            "f1": f1_at(table.labels, table.probability, threshold),
            "grid": grid._asdict(),
            "exact": exact._asdict(),
            "cross_fitted": {
                "f1": found.value,
                "interval": found.interval,
                "thresholds": {str(fold): value for fold, value in table.thresholds.items()},
            },
            "rule": table.rule,
            "patches": len(table.labels),
            "positives": int(table.labels.sum()),
            "bootstrap": bootstrap,
            "split_digest": table.split_digest,
            "warnings": warnings,
        },
    )
