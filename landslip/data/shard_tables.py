"""Which patches of listing and manifest a job works on; few of their rows are in memory at once."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pandas as pd

from landslip.data.ranges import shard_rows
from landslip.large_tables import iterate_parquet


def listed_paths(listing: Path, *, split: str, shard: int, shards: int) -> list[Path]:
    """A shard of the files that a split lists.

    Raises
    ------
    InputError
        The listing is damaged.
    """
    rows = _shard(listing, ["path"], {"split": split}, shard, shards)
    return [Path(path) for path in rows["path"]]


def usable_patches(manifest: Path, *, split: str, shard: int, shards: int) -> pd.DataFrame:
    """A shard of those patches of a split that a store holds.

    Returns
    -------
    DataFrame
        id, path, sha256; in the manifest's order.

    Raises
    ------
    InputError
        The manifest is damaged.
    """
    return _shard(manifest, ["id", "path", "sha256"], _usable(split), shard, shards)


def usable_ids(manifest: Path, *, split: str) -> Iterator[str]:
    """Ids of those patches of a split that a store holds, in order."""
    for block in _rows(manifest, ["id"], _usable(split)):
        yield from block["id"]


def _usable(split: str) -> dict[str, str]:
    return {"split": split, "status": "ok"}


def _shard(
    table: Path, columns: Sequence[str], where: Mapping[str, str], shard: int, shards: int
) -> pd.DataFrame:
    """A shard of the rows that hold these values."""
    n = sum(len(block) for block in _rows(table, [], where))
    rows = shard_rows(n, shard, shards)
    parts = [pd.DataFrame(columns=list(columns), dtype="str")]
    at = 0
    for block in _rows(table, columns, where):
        own = range(max(rows.start - at, 0), min(rows.stop - at, len(block)))
        at += len(block)
        if own:
            parts.append(block.iloc[own.start : own.stop])
    return pd.concat(parts, ignore_index=True)


def _rows(table: Path, columns: Sequence[str], where: Mapping[str, str]) -> Iterator[pd.DataFrame]:
    for block in iterate_parquet(table, list(dict.fromkeys([*columns, *where]))):
        chosen = pd.Series(True, index=block.index)
        for column, value in where.items():
            chosen &= block[column] == value
        yield block.loc[chosen, list(columns)]
