"""Parquet tables that may be larger than memory: read, joined and written a part at a time."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from landslip.files import InputError, atomic_path, read_parquet, to_arrow

# Bytes that are read at once of a column: row groups may be larger than memory.
_BUFFER = 1 << 16


def join_parquet(parts: Sequence[Path], target: Path | str) -> None:
    """Write the rows of several tables of the same columns as one, holding one of them at a time.

    Raises
    ------
    InputError
        A part is damaged or has other columns than the first.
    """

    def blocks() -> Iterator[pd.DataFrame]:
        first: pd.DataFrame | None = None
        for part in parts:
            block = read_parquet(part)
            first = block.iloc[:0] if first is None else first
            if not block.dtypes.equals(first.dtypes):
                raise InputError(
                    f"{part} has other columns than {parts[0]}; delete both and run again"
                )
            yield block

    write_blocks(target, blocks())


def write_blocks(
    target: Path | str, blocks: Iterable[pd.DataFrame], metadata: Mapping[str, str] | None = None
) -> None:
    """Write a table that comes in parts, atomically; at least one part, all of the same columns.

    Parameters
    ----------
    metadata
        As in `landslip.files.write_parquet`.
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
                writer.write_table(table)
            elif len(block):
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
    return [str(name) for name in _footer(path).schema.to_arrow_schema().names]


def _footer(path: Path | str) -> pq.FileMetaData:
    try:
        return pq.read_metadata(path)
    except FileNotFoundError:
        raise
    except (OSError, pa.ArrowException, ValueError) as error:
        raise InputError(f"{path} is damaged ({error}); delete it and run again") from error


def iterate_parquet(
    path: Path | str, columns: Sequence[str], *, rows: range | None = None, at_once: int = 8192
) -> Iterator[pd.DataFrame]:
    """Some columns of a table in blocks of at most `at_once` rows, verified as by `read_parquet`.

    Parameters
    ----------
    rows
        Which, one after another; None: all. Only the row groups that hold them are read.

    Raises
    ------
    InputError
        As of `read_parquet`, of what is read.
    """
    try:
        with pq.ParquetFile(
            path, page_checksum_verification=True, pre_buffer=False, buffer_size=_BUFFER
        ) as file:
            _require(path, file.schema_arrow.names, columns)
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
                own = range(max(wanted.start - at, 0), min(wanted.stop - at, batch.num_rows))
                at += batch.num_rows
                if own:
                    yield batch.slice(own.start, len(own)).to_pandas()
    except (FileNotFoundError, InputError):
        raise
    except (OSError, pa.ArrowException, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path} is damaged ({error}); delete it and run again") from error


class TableReader:
    """The rows of a table one after another, as many at a time as are asked for.

    Parameters
    ----------
    path, columns
        As of `iterate_parquet`.
    """

    def __init__(self, path: Path | str, columns: Sequence[str]) -> None:
        self._blocks = iterate_parquet(path, columns)
        schema = _footer(path).schema.to_arrow_schema()
        _require(path, schema.names, columns)
        self._held: pd.DataFrame = schema.empty_table().select(list(columns)).to_pandas()

    def take(self, n: int) -> pd.DataFrame:
        """The next `n` rows, fewer only where the table ends; their index counts from 0.

        Raises
        ------
        InputError
            As of `iterate_parquet`.
        """
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


def _require(path: Path | str, names: Sequence[str], columns: Sequence[str]) -> None:
    missing = sorted(set(columns) - set(names))
    if missing:
        raise InputError(f"{path} lacks the columns {', '.join(missing)}")
