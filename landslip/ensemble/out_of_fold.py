"""What members say of training patches that they were not trained on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from landslip.ensemble.sensors import rounded_column
from landslip.ensemble.tables import EnsembleOof
from landslip.io.files import InputError, read_parquet


@dataclass(frozen=True, kw_only=True)
class OutOfFold:
    """What members say of patches that they were not trained on; arrays (n,)."""

    labels: NDArray[np.int8]
    fold: NDArray[np.int64]
    scores: Mapping[str, NDArray[np.float64]]
    """Column -> probabilities."""


def gather_out_of_fold(
    table: EnsembleOof,
    members: Sequence[str],
    again: Mapping[str, Path],
    *,
    rounded: bool,
) -> OutOfFold:
    """Put what members say of fewer sensors beside what they say of all.

    Parameters
    ----------
    table
        ensemble/oof.parquet.
    members
        Whose scores are taken.
    again
        Member -> held_out.parquet: what it says of fewer sensors, or with rounded weights.
    rounded
        Take what networks say with rounded weights in place of what they say with whole ones.

    Raises
    ------
    InputError
        A file is damaged, or of other patches than the table.
    """
    scores = {name: table.members[name] for name in members}
    for name, path in again.items():
        frame = read_parquet(path)
        if frame["id"].tolist() != table.ids:
            raise InputError(
                f"{path} is of other patches than the ensemble's out-of-fold table; delete both "
                "and run again"
            )
        for column in map(str, frame.columns.drop("id")):
            values = frame[column].to_numpy(np.float64)
            if column != rounded_column(name):
                scores[column] = values
            elif rounded:
                scores[name] = values
    return OutOfFold(labels=table.labels, fold=table.fold, scores=scores)
