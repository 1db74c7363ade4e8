"""Time of an epoch and of prediction by encoder and number of instances (the paper's Table 9)."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from landslip.io.files import read_csv, write_parquet
from landslip.report.speed import read_speed

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
    table = read_speed(costs)
    published = read_csv(paper, PAPER).set_index(["encoder", "instances"]).add_prefix("paper_")
    table = table.merge(published, on=["encoder", "instances"], how="left")
    write_parquet(target, table.astype({"device_memory_mb": "float64"}))
