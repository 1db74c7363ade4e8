"""Parquet tables that may be larger than memory: read and written a part at a time."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq

from landslip.io.files import (
    atomic_path,
    readable_damage,
    require_columns,
    to_arrow,
)

# Bytes that are read at once of a column: row groups may be larger than memory.
_BUFFER = 1 << 16


def write_blocks(
    target: Path | str, blocks: Iterable[pd.DataFrame], metadata: Mapping[str, str] | None = None
) -> None:
    """Write a table that comes in parts, atomically; at least one part, all of the same columns.

    Parameters
    ----------
    target
        The file to write.
    blocks
        The table's rows, in order.
    metadata
        As in `landslip.io.files.write_parquet`.
    """
    with ExitStack() as stack:
        temporary = stack.enter_context(atomic_path(target))
        writer: pq.ParquetWriter | None = None
        for block in blocks:
            table = to_arrow(block, metadata)
            if writer is None:
                writer = stack.enter_context(
                    pq.ParquetWriter(
                        temporary, table.schema, compression="zstd", write_page_checksum=True
                    )
                )
            elif block.empty:
                continue
            writer.write_table(table)


def count_rows(path: Path | str) -> int:
    """Rows of a table, from its footer alone.

    Raises
    ------
    InputError
        The footer is damaged.
    """
    with readable_damage(path):
        return int(pq.read_metadata(path).num_rows)


def iterate_parquet(
    path: Path | str, columns: Sequence[str], *, rows: range | None = None, at_once: int = 8192
) -> Iterator[pd.DataFrame]:
    """Some columns of a table in blocks of at most `at_once` rows, verified as by `read_parquet`.

    Parameters
    ----------
    path
        Parquet file.
    columns
        Their names.
    rows
        Which, one after another; None: all. Only the row groups that hold them are read.
    at_once
        Rows of a block.

    Raises
    ------
    InputError
        As of `read_parquet`, of what is read.
    """
    with (
        readable_damage(path),
        pq.ParquetFile(
            path, page_checksum_verification=True, pre_buffer=False, buffer_size=_BUFFER
        ) as file,
    ):
        require_columns(path, file.schema_arrow.names, columns)
        wanted = range(file.metadata.num_rows) if rows is None else rows
        groups: list[int] = []
        at = first = 0
        for group in range(file.num_row_groups):
            following = at + file.metadata.row_group(group).num_rows
            if at < wanted.stop and following > wanted.start:
                first = first if groups else at
                groups.append(group)
            at = following
        at = first
        for batch in file.iter_batches(at_once, row_groups=groups, columns=list(columns)):
            chosen = range(max(wanted.start - at, 0), min(wanted.stop - at, batch.num_rows))
            at += batch.num_rows
            if chosen:
                yield batch.slice(chosen.start, len(chosen)).to_pandas()
