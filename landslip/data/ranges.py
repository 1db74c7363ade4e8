"""Which patches a job works on when patches are shared out among several."""

from pathlib import Path

from landslip.data.table_files import table_blocks


def shard_rows(n: int, shard: int, shards: int) -> range:
    """Rows of one shard of `n` patches: in order, every row in one shard, sizes as equal as can be.

    Raises
    ------
    ValueError
        There is no such shard.
    """
    if not 0 <= shard < shards:
        raise ValueError(f"shard {shard} of {shards}: they are counted from 0")
    return range(n * shard // shards, n * (shard + 1) // shards)


def shards_for(patches: int, patches_per_shard: int) -> int:
    """How many shards keep each to at most `patches_per_shard`; one where there is no patch."""
    return max(1, -(-patches // patches_per_shard))


def count_lines(table: Path) -> int:
    """Lines of a CSV, packed or not, cheap enough to count whenever the workflow starts.

    Rows are at most as many: a header and blank lines count. It is 0 without the file.

    Raises
    ------
    InputError
        See `landslip.data.table_files.table_blocks`.
    """
    if not table.exists():
        return 0
    feeds = returns = 0
    for block in table_blocks(table):
        feeds += block.count(b"\n")
        returns += block.count(b"\r")
    return max(feeds, returns) + 1
