"""Which patches of listing and manifest a job works on; few of their rows are in memory at once."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from landslip.data.ranges import shard_rows
from landslip.io.large_tables import iterate_parquet


def listed_patches(
    listing: Path, columns: Sequence[str], *, split: str, shard: int, shards: int
) -> pd.DataFrame:
    """A shard of the patches that a split lists: the columns that say where they lie.

    Raises
    ------
    InputError
        The listing is damaged.
    """
    return _shard(listing, list(columns), {"split": split}, shard, shards)


def usable_patches(
    manifest: Path, columns: Sequence[str] = ("path",), *, split: str, shard: int, shards: int
) -> pd.DataFrame:
    """A shard of those patches of a split that a store holds.

    Returns
    -------
    DataFrame
        id, the columns, sha256; in the manifest's order.

    Raises
    ------
    InputError
        The manifest is damaged.
    """
    usable = {"split": split, "status": "ok"}
    return _shard(manifest, ["id", *columns, "sha256"], usable, shard, shards)


def _shard(
    table: Path, columns: Sequence[str], where: Mapping[str, str], shard: int, shards: int
) -> pd.DataFrame:
    """A shard of the rows that hold these values."""
    held = [_holds(block, where) for block in iterate_parquet(table, list(where))]
    matching = np.flatnonzero(np.concatenate([np.zeros(0, np.bool_), *held]))
    of_shard = matching[shard_rows(len(matching), shard, shards)]
    rows = range(of_shard[0], of_shard[-1] + 1) if of_shard.size else range(0)
    read = iterate_parquet(table, list(dict.fromkeys([*columns, *where])), rows=rows)
    parts = [block.loc[_holds(block, where), list(columns)] for block in read]
    empty = pd.DataFrame(columns=list(columns), dtype="str")
    return pd.concat(parts, ignore_index=True) if parts else empty


def _holds(block: pd.DataFrame, where: Mapping[str, str]) -> NDArray[np.bool_]:
    tests = [(block[name] == value).to_numpy(dtype=np.bool_) for name, value in where.items()]
    return np.asarray(np.logical_and.reduce(tests), dtype=np.bool_)
