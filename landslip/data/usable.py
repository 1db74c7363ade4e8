"""The patches of a manifest that a store holds; few of its rows are in memory at once."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pandas as pd

from landslip.data.ranges import shard_rows
from landslip.large_tables import iterate_parquet


def usable_patches(manifest: Path, *, split: str, shard: int, shards: int) -> pd.DataFrame:
    """A shard of those patches of a split.

    Returns
    -------
    DataFrame
        id, path, sha256; in the manifest's order.

    Raises
    ------
    InputError
        The manifest is damaged.
    """
    columns = ("id", "path", "sha256")
    n = sum(len(block) for block in _usable(manifest, split, ["split"]))
    rows = shard_rows(n, shard, shards)
    parts = [pd.DataFrame(columns=list(columns), dtype="str")]
    at = 0
    for block in _usable(manifest, split, columns):
        own = range(max(rows.start - at, 0), min(rows.stop - at, len(block)))
        at += len(block)
        if own:
            parts.append(block.iloc[own.start : own.stop])
    return pd.concat(parts, ignore_index=True)


def usable_ids(manifest: Path, *, split: str) -> Iterator[str]:
    """Ids of those patches of a split, in order."""
    for block in _usable(manifest, split, ["id"]):
        yield from block["id"]


def _usable(manifest: Path, split: str, columns: Sequence[str]) -> Iterator[pd.DataFrame]:
    for block in iterate_parquet(manifest, list(dict.fromkeys([*columns, "split", "status"]))):
        chosen = (block["split"] == split) & (block["status"] == "ok")
        yield block.loc[chosen, list(columns)]
