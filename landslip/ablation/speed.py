"""Time of an epoch and of prediction by encoder and number of instances (the paper's Table 9)."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from landslip.io.files import InputError, write_parquet
from landslip.models.cost import read_cost
from landslip.report.speed import speed_table

PAPER = ("encoder", "instances", "epoch_seconds", "inference_seconds")


def write_speed(*, costs: Mapping[str, Sequence[Path]], paper: Path, target: Path) -> None:
    """Write results/ablation/speed.parquet.

    Parameters
    ----------
    costs
        Model -> cost.json of its folds.
    paper
        CSV of PAPER: seconds of one epoch over 5,717 patches and of predicting 1,430, on a T4.
    target
        Parquet file to write.

    Raises
    ------
    InputError
        A file is damaged or lacks a value.
    """
    read = {model: [read_cost(path) for path in paths] for model, paths in costs.items()}
    published = pd.read_csv(paper)
    missing = set(PAPER) - set(published.columns)
    if missing:
        raise InputError(f"{paper} lacks the columns {sorted(missing)}")
    try:
        table = speed_table(read)
    except KeyError as error:
        raise InputError(f"a cost.json lacks {error}; train the model anew") from error
    renamed = {
        "epoch_seconds": "paper_epoch_seconds",
        "inference_seconds": "paper_inference_seconds",
    }
    table = table.merge(
        published[list(PAPER)].rename(columns=renamed), on=["encoder", "instances"], how="left"
    )
    write_parquet(target, table.astype({"device_memory_mb": "float64"}))
