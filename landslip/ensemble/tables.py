"""The ensemble's tables of predictions, as arrays."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from landslip.files import InputError, read_metadata, read_parquet

Floats = NDArray[np.float64]

OOF_COLUMNS = ("id", "fold", "label", "probability")
TEST_COLUMNS = ("id", "probability", "landslide")


@dataclass(frozen=True, kw_only=True)
class EnsembleOof:
    """ensemble/oof.parquet; all arrays (n,)."""

    ids: list[str]
    fold: NDArray[np.int64]
    labels: NDArray[np.int8]
    probability: Floats
    """Of the ensemble."""
    members: dict[str, Floats]
    """Of each member."""
    split_digest: str


@dataclass(frozen=True, kw_only=True)
class EnsembleTest:
    """ensemble/test.parquet; all arrays (n,), NaN where a patch has no prediction."""

    ids: list[str]
    probability: Floats
    landslide: Floats
    """0 or 1."""
    members: dict[str, Floats]


def read_ensemble_oof(path: Path) -> EnsembleOof:
    """Read what `gather_oof` wrote.

    Raises
    ------
    InputError
        The file is damaged, empty, or lacks a column.
    """
    frame = read_parquet(path)
    _require(path, list(frame.columns), OOF_COLUMNS)
    if len(frame) == 0:
        raise InputError(f"{path} has no rows; delete it and run again")
    members = [name for name in frame.columns if name not in OOF_COLUMNS]
    return EnsembleOof(
        ids=frame["id"].tolist(),
        fold=frame["fold"].to_numpy(dtype=np.int64),
        labels=frame["label"].to_numpy(dtype=np.int8),
        probability=frame["probability"].to_numpy(dtype=np.float64),
        members={name: frame[name].to_numpy(dtype=np.float64) for name in members},
        split_digest=read_metadata(path).get("split_digest", ""),
    )


def read_ensemble_test(path: Path) -> EnsembleTest:
    """Read what `gather_test` wrote; see `read_ensemble_oof`. It may have no rows."""
    frame = read_parquet(path)
    _require(path, list(frame.columns), TEST_COLUMNS)
    members = [name for name in frame.columns if name not in TEST_COLUMNS]
    numbers = frame.drop(columns="id").astype("Float64")
    arrays = {
        name: numbers[name].to_numpy(dtype=np.float64, na_value=np.nan) for name in numbers.columns
    }
    return EnsembleTest(
        ids=frame["id"].tolist(),
        probability=arrays["probability"],
        landslide=arrays["landslide"],
        members={name: arrays[name] for name in members},
    )


def _require(path: Path, columns: list[str], required: tuple[str, ...]) -> None:
    missing = [name for name in required if name not in columns]
    if missing:
        raise InputError(f"{path} lacks the columns {missing}; delete it and run again")
