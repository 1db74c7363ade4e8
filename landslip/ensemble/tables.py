"""The ensemble's tables of predictions, as arrays."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from landslip.io.files import InputError, read_metadata, read_parquet, require_columns
from landslip.io.large_tables import TableReader, iterate_parquet, read_columns

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
class LabelledTest:
    """Those patches of ensemble/test.parquet whose label is known; all arrays (n,)."""

    labels: NDArray[np.int8]
    probability: Floats
    """Of the ensemble; NaN where a patch has no prediction, as in `members`."""
    members: dict[str, Floats]
    unlabelled: int
    """How many test patches have no label."""


@dataclass(frozen=True, kw_only=True)
class Answers:
    """How many test patches were asked about, have an answer, and are called landslides."""

    asked: int
    answered: int
    landslides: int


def read_ensemble_oof(path: Path) -> EnsembleOof:
    """Read what `landslip.ensemble.gather.gather_oof` wrote.

    Raises
    ------
    InputError
        The file is damaged, empty, or lacks a column.
    """
    frame = read_parquet(path)
    require_columns(path, frame.columns, OOF_COLUMNS)
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


def read_labelled(path: Path, manifest: Path) -> LabelledTest:
    """Read what `landslip.ensemble.predict.predict_test` wrote of patches that have a label.

    Raises
    ------
    InputError
        A file is damaged or lacks a column, or they list other test patches.
    """
    names = read_columns(path)
    require_columns(path, names, TEST_COLUMNS)
    scores = [name for name in names if name not in ("id", "landslide")]
    reader = TableReader(path, scores)
    parts = [pd.DataFrame(columns=["label", *scores], dtype="float64")]
    unlabelled = 0
    for listed in iterate_parquet(manifest, ["id", "split", "label"]):
        asked = listed[listed["split"] == "test"].reset_index(drop=True)
        rows = reader.take(asked["id"].tolist())
        known = asked["label"].notna()
        unlabelled += int((~known).sum())
        parts.append(rows[scores].assign(label=asked["label"].astype("Float64"))[known])
    reader.end()
    frame = pd.concat(parts, ignore_index=True)
    return LabelledTest(
        labels=frame["label"].to_numpy(dtype=np.int8),
        probability=frame["probability"].to_numpy(dtype=np.float64),
        members={n: frame[n].to_numpy(dtype=np.float64) for n in scores if n != "probability"},
        unlabelled=unlabelled,
    )


def count_answers(path: Path) -> Answers:
    """Count what `landslip.ensemble.predict.predict_test` wrote.

    Raises
    ------
    InputError
        The file is damaged.
    """
    asked = answered = landslides = 0
    for block in iterate_parquet(path, ["landslide"]):
        asked += len(block)
        answered += int(block["landslide"].notna().sum())
        landslides += int((block["landslide"] == 1).sum())
    return Answers(asked=asked, answered=answered, landslides=landslides)
