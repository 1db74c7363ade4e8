"""What each channel is shifted and scaled by, from its fitted parameters."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from landslip.io.files import InputError, read_parquet

QUANTILES = {"q01": 0.01, "q05": 0.05, "q50": 0.50, "q95": 0.95, "q99": 0.99}
COLUMNS = ("mean", "std", *QUANTILES)


def read_scaling(path: Path) -> pd.DataFrame:
    """Read the scaling parameters: channel, then COLUMNS."""
    return read_parquet(path, ["channel", *COLUMNS])


def scale_and_shift(
    table: pd.DataFrame, channels: Sequence[str], kind: str
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The numbers to subtract from each channel, and then to divide it by.

    Parameters
    ----------
    table
        As `read_scaling` gives it.
    channels
        Names, in the order wanted; a name may come twice.
    kind
        One of SCALINGS. standard: (x - mean) / std. robust: (x - q50) / (q95 - q05).
        robust_1_99: (x - q50) / (q99 - q01).

    Returns
    -------
    shift, scale : (channel,), in the channel's unit
        Where the quantiles of a channel are equal, its scale is its standard deviation; where it
        is constant, 1. No scale is 0.

    Raises
    ------
    InputError
        The table lacks a channel.
    """
    unknown = sorted(set(channels) - set(table["channel"]))
    if unknown:
        raise InputError(
            f"the scaling parameters lack {', '.join(unknown)}; they are of "
            f"{', '.join(table['channel'])}. Delete results/features and run again"
        )
    chosen = table.set_index("channel").loc[list(channels)]
    column = {name: chosen[name].to_numpy(np.float64) for name in COLUMNS}
    shift, scale = {
        "standard": (column["mean"], column["std"]),
        "robust": (column["q50"], column["q95"] - column["q05"]),
        "robust_1_99": (column["q50"], column["q99"] - column["q01"]),
    }[kind]
    scale = np.where(scale > 0, scale, column["std"])
    return shift, np.where(scale > 0, scale, 1.0)
