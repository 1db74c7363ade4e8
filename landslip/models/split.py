"""The patches of one training, and those of them that it is not shown."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from landslip.data.folds import read_folds
from landslip.io.files import InputError
from landslip.models.predictions import write_oof


@dataclass(frozen=True, kw_only=True)
class Split:
    """All patches, one fold of which is held out."""

    fold: int
    table: pd.DataFrame
    """id, fold, label of every patch."""
    digest: str
    """Of the folds."""

    @property
    def held_out(self) -> NDArray[np.bool_]:
        """Whether each patch is held out, (n,)."""
        return (self.table["fold"] == self.fold).to_numpy()

    @property
    def labels(self) -> NDArray[np.int8]:
        """Labels (n,), 0 or 1."""
        return self.table["label"].to_numpy(dtype=np.int8)

    def write_oof(self, path: Path, probability: NDArray[np.floating], model: str) -> None:
        """Write what was predicted of the patches held out.

        Parameters
        ----------
        path
            Parquet file to write.
        probability : (held out,)
            In [0, 1], in the order of the patches held out.
        model
            Name of the model.
        """
        held_out = self.table[self.held_out]
        write_oof(path, held_out, probability, split_digest=self.digest, model=model)


def read_split(folds: Path, fold: int) -> Split:
    """Read folds.parquet, with one fold held out.

    Raises
    ------
    InputError
        The file is damaged, or has no such fold.
    """
    table, digest = read_folds(folds)
    if not (table["fold"] == fold).any():
        known = sorted(table["fold"].unique().tolist())
        raise InputError(f"{folds} has no fold {fold}; it has {known}")
    return Split(fold=fold, table=table, digest=digest)
