"""Parquet tables that may be larger than memory: read and joined a part at a time."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from landslip.files import InputError, atomic_path, read_parquet

# Bytes that are read at once of a column: row groups may be larger than memory.
_BUFFER = 1 << 16


def join_parquet(parts: Sequence[Path], target: Path | str) -> None:
    """Write the rows of several tables of the same columns as one, holding one of them at a time.

    Raises
    ------
    InputError
        A part is damaged or has other columns than the first.
    """
    with atomic_path(target) as temporary:
        writer: pq.ParquetWriter | None = None
        try:
            for part in parts:
                table = pa.Table.from_pandas(read_parquet(part), preserve_index=False)
                # what pandas adds counts the rows of this part
                table = table.replace_schema_metadata(None)
                if writer is None:
                    writer = pq.ParquetWriter(
                        temporary, table.schema, compression="zstd", write_page_checksum=True
                    )
                if table.schema != writer.schema:
                    raise InputError(
                        f"{part} has other columns than {parts[0]}; delete both and run again"
                    )
                writer.write_table(table)
        finally:
            if writer is not None:
                writer.close()


def count_rows(path: Path | str) -> int:
    """Rows of a table, from its footer alone.

    Raises
    ------
    InputError
        The footer is damaged.
    """
    try:
        return int(pq.read_metadata(path).num_rows)
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
            missing = sorted(set(columns) - set(file.schema_arrow.names))
            if missing:
                raise InputError(f"{path} lacks the columns {', '.join(missing)}")
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
