"""Files that are whole or absent: atomic writes, digests, JSON and parquet."""

import errno
import fcntl
import hashlib
import json
import os
import tempfile
import time
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

# No space on the disk, in the user's quota, under the process's limit.
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class InputError(ValueError):
    """Something the user can mend: the message says what, where and what to do."""


@contextmanager
def atomic_path(target: Path | str, *, durable: bool = True) -> Iterator[Path]:
    """Give a temporary path beside `target` that becomes `target` when the block ends well.

    Parameters
    ----------
    target
        Where the file is to stand. Its folder is made if it is missing.
    durable
        Wait until the disk has it. A caller that writes thousands of small files may turn it off,
        call `os.sync` once, and only then write the file that says that they are there.

    Yields
    ------
    Path
        A name in the same folder with the same suffix. The block must create it.

    Raises
    ------
    OSError
        The disk is full (path and bytes written named) or the folder is read-only. The old
        file, if there was one, is untouched and no temporary file is left.
    """
    target = Path(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.stem}.{os.getpid()}.tmp{target.suffix}")
    try:
        yield temporary
        if durable:
            with open(temporary, "rb+") as written:
                os.fsync(written.fileno())
        os.replace(temporary, target)
        if durable:
            _sync_folder(target.parent)
    except OSError as error:
        if error.errno in _FULL:
            size = temporary.stat().st_size if temporary.exists() else 0
            message = (
                f"disk full after {size} bytes while writing {target}; free space and run again"
            )
            raise OSError(error.errno, message) from error
        raise
    finally:
        temporary.unlink(missing_ok=True)


def remove(target: Path | str) -> None:
    """Remove a file, if it is there, and what killed writers left beside it."""
    target = Path(target)
    target.unlink(missing_ok=True)
    for temporary in target.parent.glob(f".{target.stem}.*.tmp{target.suffix}"):
        temporary.unlink(missing_ok=True)


def check_writable(folder: Path | str) -> None:
    """Refuse a folder that no file can be written into, before work that would be lost.

    Raises
    ------
    InputError
        The folder cannot be made, or is read-only or full.
    """
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as probe:
            probe.write(b"0")
    except OSError as error:
        raise InputError(
            f"cannot write into {folder} ({error.strerror}); make it writable, or name another "
            "folder in `results`"
        ) from error


@contextmanager
def exclusive(folder: Path | str, *, patience: float = 300) -> Iterator[None]:
    """Keep other processes that ask for it out of a folder; the lock dies with the process.

    Parameters
    ----------
    patience
        Seconds to wait for another process, which may be about to end.

    Raises
    ------
    InputError
        Another process is still at work there.

    Notes
    -----
    Where the file system knows no locks, nobody is kept out.
    """
    descriptor = os.open(folder, os.O_RDONLY)
    end = time.monotonic() + patience
    try:
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() >= end:
                    raise InputError(
                        f"another process is at work in {folder}, left over from a run that was "
                        "killed; wait until it has ended, or end it"
                    ) from None
                time.sleep(0.2)
                continue
            except OSError:
                pass
            break
        yield
    finally:
        os.close(descriptor)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_text(target: Path | str, text: str) -> None:
    """Write `text` as UTF-8, atomically."""
    with atomic_path(target) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(target: Path | str, value: Any) -> None:
    """Write `value` as indented JSON, atomically. NaN and infinity are refused."""
    write_text(target, json.dumps(value, indent=2, allow_nan=False) + "\n")


def read_json(path: Path | str) -> Any:
    """Read a JSON file; the error of a broken one names the file."""
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(f"{path} is not valid JSON ({error}); delete it and run again") from error


def write_parquet(
    target: Path | str, frame: pd.DataFrame, metadata: Mapping[str, str] | None = None
) -> None:
    """Write a table with checksums on its pages, atomically.

    Parameters
    ----------
    metadata
        Kept in the file's schema beside pandas' own, read back by `read_metadata`.
    """
    with atomic_path(target) as temporary:
        pq.write_table(
            to_arrow(frame, metadata), temporary, compression="zstd", write_page_checksum=True
        )


def to_arrow(frame: pd.DataFrame, metadata: Mapping[str, str] | None = None) -> pa.Table:
    """A table as it is written, with metadata beside pandas' own."""
    table = pa.Table.from_pandas(frame, preserve_index=False)
    extra = {key.encode(): value.encode() for key, value in (metadata or {}).items()}
    return table.replace_schema_metadata({**(table.schema.metadata or {}), **extra})


def read_parquet(path: Path | str, columns: Sequence[str] | None = None) -> pd.DataFrame:
    """Read a table and verify the checksums of its pages.

    Raises
    ------
    InputError
        The file is truncated, damaged or lacks a column; the message names it.
    """
    try:
        require_columns(path, pq.read_schema(path).names, columns or ())
        table = pq.read_table(
            path,
            columns=None if columns is None else list(columns),
            page_checksum_verification=True,
        )
        frame: pd.DataFrame = table.to_pandas()
    except (FileNotFoundError, InputError):
        raise
    # A damaged footer shows in many ways: pandas parses its own part of it as JSON.
    except (OSError, pa.ArrowException, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path} is damaged ({error}); delete it and run again") from error
    return frame


def require_columns(path: Path | str, names: Iterable[str], columns: Iterable[str]) -> None:
    """Refuse a table of the columns `names` that lacks one of `columns`."""
    missing = sorted(set(columns) - set(names))
    if missing:
        raise InputError(f"{path} lacks the columns {', '.join(missing)}; delete it and run again")


def read_metadata(path: Path | str) -> dict[str, str]:
    """Read what `write_parquet` was given as metadata."""
    try:
        raw = pq.read_schema(path).metadata or {}
        return {key.decode(): value.decode() for key, value in raw.items() if key != b"pandas"}
    except FileNotFoundError:
        raise
    except (OSError, pa.ArrowException, ValueError) as error:
        raise InputError(f"{path} is damaged ({error}); delete it and run again") from error


def write_arrays(target: Path | str, **arrays: NDArray[Any]) -> None:
    """Write arrays as compressed .npz, whose members carry CRC-32s, atomically."""
    with atomic_path(target) as temporary:
        np.savez_compressed(temporary, allow_pickle=False, **arrays)


def read_arrays(path: Path | str) -> dict[str, NDArray[Any]]:
    """Read what `write_arrays` wrote.

    Raises
    ------
    InputError
        The file is damaged.
    """
    try:
        with np.load(path, allow_pickle=False) as found:
            return {name: found[name] for name in found.files}
    except FileNotFoundError:
        raise
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise InputError(f"{path} is damaged ({error}); delete it and run again") from error


def file_digest(path: Path | str) -> str:
    """SHA-256 of a file's bytes, in hexadecimal."""
    with open(path, "rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def text_digest(*parts: str) -> str:
    """SHA-256 of several strings; where one ends and the next begins counts."""
    return texts_digest(parts)


def texts_digest(parts: Iterable[str]) -> str:
    """The same of many strings, one in memory at a time."""
    digest = hashlib.sha256()
    for part in parts:
        encoded = part.encode()
        digest.update(len(encoded).to_bytes(8, "little"))
        digest.update(encoded)
    return digest.hexdigest()


def read_digest(path: Path | str) -> str:
    """Read the small file in which one job tells the next the digest of a large one."""
    return Path(path).read_text(encoding="utf-8").strip()


def verified(path: Path | str, digest: Path | str) -> Path:
    """Path of a file whose bytes have the digest that stands in the small file `digest`.

    Raises
    ------
    InputError
        They have another: the file is damaged, or comes from another run.
    """
    if file_digest(path) != read_digest(digest):
        raise InputError(f"{path} differs from {digest}; delete both and run again")
    return Path(path)


def paths_by_name(names: Sequence[str], paths: Sequence[str]) -> dict[str, list[Path]]:
    """Equal runs of `paths`, one for each name: the files of each model's folds, say."""
    each = len(paths) // len(names)
    return {
        name: [Path(path) for path in paths[at * each : (at + 1) * each]]
        for at, name in enumerate(names)
    }
