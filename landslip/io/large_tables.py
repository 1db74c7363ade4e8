"""Parquet tables that may be larger than memory: read and written a part at a time."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from itertools import zip_longest
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq

from landslip.io.files import (
    InputError,
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
    return int(_footer(path).num_rows)


def read_columns(path: Path | str) -> list[str]:
    """Names of a table's columns, in order; see `count_rows`."""
    with readable_damage(path):
        return [str(name) for name in _footer(path).schema.to_arrow_schema().names]


def _footer(path: Path | str) -> pq.FileMetaData:
    with readable_damage(path):
        return pq.read_metadata(path)


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


class TableReader:
    """Rows of a table of patches that must stand in a known order, a few at a time.

    Parameters
    ----------
    path
        Its column `id` says which patch a row is of.
    columns
        Those that are asked for, beside it.
    """

    def __init__(self, path: Path | str, columns: Sequence[str]) -> None:
        self.path = path
        names = ["id", *columns]
        with readable_damage(path):
            schema = _footer(path).schema.to_arrow_schema()
            require_columns(path, schema.names, names)
            self._held: pd.DataFrame = schema.empty_table().select(names).to_pandas()
        self._blocks = iterate_parquet(path, names)
        self._row = 0

    def take(self, ids: Sequence[str]) -> pd.DataFrame:
        """The next rows, which must be of these patches; their index counts from 0.

        Raises
        ------
        InputError
            They are of others, or as of `iterate_parquet`.
        """
        rows = self._next(len(ids))
        self._compare(rows, ids)
        self._row += len(rows)
        return rows

    def end(self) -> None:
        """Refuse a table that holds further rows."""
        self._compare(self._next(1), [])

    def _next(self, n: int) -> pd.DataFrame:
        """At most `n` rows, fewer only where the table ends."""
        parts = [self._held] if len(self._held) else []
        held = len(self._held)
        while held < n and (block := next(self._blocks, None)) is not None:
            parts.append(block)
            held += len(block)
        if parts:
            self._held = pd.concat(parts, ignore_index=True)
        rows = self._held.iloc[:n]
        self._held = self._held.iloc[n:]
        return rows

    def _compare(self, rows: pd.DataFrame, ids: Sequence[str]) -> None:
        found = rows["id"].tolist()
        if found != list(ids):
            pairs = enumerate(zip_longest(found, ids, fillvalue="none"), start=self._row)
            row, (got, expected) = next((row, pair) for row, pair in pairs if len(set(pair)) > 1)
            raise InputError(
                f"{self.path}: patch {got} in row {row}, expected {expected}; "
                "delete it and run again"
            )
