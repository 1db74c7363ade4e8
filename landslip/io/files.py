"""Files that are whole or absent: atomic writes, digests, JSON and parquet."""

import errno
import hashlib
import json
import os
import shutil
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from landslip.io.ordinary_files import open_ordinary
from landslip.io.room import FULL, named_if_full
from landslip.io.temporaries import clear_temporaries, discard, temporary_beside

_LEAST = 1 << 16  # bytes that a folder has room for, or is called full
# What a file system says when it is asked for what it cannot do.
_UNKNOWN = (errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS)


# What libraries answer to damaged bytes, each in its way: wrong sizes, names, types and methods.
_OF_DAMAGE = (
    ValueError, LookupError, TypeError, AttributeError, ArithmeticError, EOFError, MemoryError,
    RuntimeError, struct.error, zlib.error, zipfile.BadZipFile, pa.ArrowException,
)  # fmt: skip


class InputError(ValueError):
    """Something the user can mend: the message says what, where and what to do."""


@contextmanager
def readable_damage(
    path: Path | str,
    remedy: str = "delete it and run again",
    also: tuple[type[Exception], ...] = (),
) -> Iterator[None]:
    """Say which file is damaged, whatever its library makes of it.

    Parameters
    ----------
    path
        The file.
    remedy
        What the user can do.
    also
        Errors of its library's own, beside those of Python.

    Raises
    ------
    InputError
        In place of what the block raises because of the file's content.
    OSError
        The system does not give the content: the file is missing, say.
    """
    try:
        yield
    except InputError:
        raise
    except (OSError, *_OF_DAMAGE, *also) as error:
        # The system's own errors are numbered; libraries raise OSError for damage, too. A place
        # before a file's start, which damage can name, is an invalid argument to the system.
        if isinstance(error, OSError) and error.errno not in (None, errno.EINVAL):
            raise
        reason = str(error) or type(error).__name__
        raise InputError(f"{path} is damaged ({reason}); {remedy}") from error


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

    Notes
    -----
    What killed writers left beside `target` is removed first, where `durable`.
    """
    target = Path(target)
    temporary = temporary_beside(target)
    try:
        with named_if_full(target, temporary):
            target.parent.mkdir(parents=True, exist_ok=True)
            if durable:
                clear_temporaries(target.parent, target.name)
            yield temporary
            if durable:
                _sync(temporary, os.O_RDWR)
            os.replace(temporary, target)
            if durable:
                # a folder may be written into and not read
                with suppress(PermissionError):
                    _sync(target.parent, os.O_RDONLY)
    finally:
        if durable:
            discard(temporary)
        else:
            with suppress(OSError):
                temporary.unlink()


def remove(target: Path | str) -> None:
    """Remove a file, if it is there, and what killed writers left beside it."""
    target = Path(target)
    target.unlink(missing_ok=True)
    clear_temporaries(target.parent, target.name)


def check_writable(folder: Path | str, remedy: str = "name another folder in `results`") -> None:
    """Refuse a folder that no file can be written into, before work that would be lost.

    Parameters
    ----------
    folder
        It is made if it is missing.
    remedy
        What else the user can do.

    Raises
    ------
    InputError
        The folder cannot be made, or is read-only or full.
    """
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as probe:
            probe.write(bytes(_LEAST))
    except OSError as error:
        known = (error.strerror, "make it writable")
        what, first = FULL.get(error.errno or 0, known)
        raise InputError(f"cannot write into {folder} ({what}); {first}, or {remedy}") from error


def _sync(path: Path, flags: int) -> None:
    """Wait until the disk has a file or folder, where the file system can be asked to."""
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _UNKNOWN:
            raise
    finally:
        os.close(descriptor)


@contextmanager
def atomic_folder(target: Path) -> Iterator[Path]:
    """Give a temporary folder beside `target` that takes its place when the block ends well.

    Parameters
    ----------
    target
        Where the folder is to stand. What stands there is removed, once the new one is whole.

    Yields
    ------
    Path
        An empty folder. What the block writes into it must have reached the disk.

    Notes
    -----
    For the moment between two renames neither folder stands there, and never a part of one.
    """
    temporary = temporary_beside(target)
    old = temporary_beside(target.with_name(f"{target.name}.old"))
    try:
        with named_if_full(target, temporary):
            target.parent.mkdir(parents=True, exist_ok=True)
            clear_temporaries(target.parent, target.name)
            temporary.mkdir()
            yield temporary
            if target.exists():
                target.rename(old)
            try:
                temporary.rename(target)
            except OSError:
                if old.exists():
                    old.rename(target)
                raise
            with suppress(PermissionError):
                _sync(target.parent, os.O_RDONLY)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)


def copy_file(source: Path | str, target: Path | str) -> None:
    """Copy a file's bytes, atomically."""
    with atomic_path(target) as temporary:
        shutil.copyfile(source, temporary)


def write_text(target: Path | str, text: str) -> None:
    """Write `text` as UTF-8, atomically."""
    with atomic_path(target) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(target: Path | str, value: Any) -> None:
    """Write `value` as indented JSON, atomically. NaN and infinity are refused."""
    write_text(target, json.dumps(value, indent=2, allow_nan=False) + "\n")


def read_json(path: Path | str) -> Any:
    """Read a JSON file; the error of a broken one names the file."""
    with readable_damage(path):
        return json.loads(Path(path).read_text(encoding="utf-8"))


def write_parquet(
    target: Path | str, frame: pd.DataFrame, metadata: Mapping[str, str] | None = None
) -> None:
    """Write a table with checksums on its pages, atomically.

    Parameters
    ----------
    target
        The file to write.
    frame
        The table.
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
    # A damaged footer shows in many ways: pandas parses its own part of it as JSON.
    with readable_damage(path):
        require_columns(path, pq.read_schema(path).names, columns or ())
        table = pq.read_table(
            path,
            columns=None if columns is None else list(columns),
            page_checksum_verification=True,
        )
        frame: pd.DataFrame = table.to_pandas()
        # pandas' part of a footer may say that a column is an index.
        require_columns(path, frame.columns, columns or ())
    return frame


def read_csv(path: Path | str, columns: Sequence[str]) -> pd.DataFrame:
    """Read some columns of a table that comes with landslip.

    Raises
    ------
    InputError
        It lacks one.
    """
    table = pd.read_csv(path)
    require_columns(path, table.columns, columns)
    return table[list(columns)]


def require_columns(path: Path | str, names: Iterable[str], columns: Iterable[str]) -> None:
    """Refuse a table of the columns `names` that lacks one of `columns`."""
    missing = sorted(set(columns) - set(names))
    if missing:
        raise InputError(f"{path} lacks the columns {', '.join(missing)}; delete it and run again")


def read_metadata(path: Path | str) -> dict[str, str]:
    """Read what `write_parquet` was given as metadata."""
    with readable_damage(path):
        raw = pq.read_schema(path).metadata or {}
        return {key.decode(): value.decode() for key, value in raw.items() if key != b"pandas"}


def file_digest(path: Path | str) -> str:
    """SHA-256 of a file's bytes, in hexadecimal."""
    with open_ordinary(path) as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def text_digest(*parts: str) -> str:
    """SHA-256 of several strings; where one ends and the next begins counts."""
    return texts_digest(parts)


def texts_digest(parts: Iterable[str]) -> str:
    """The same of many strings, one in memory at a time; names of files need not be UTF-8."""
    digest = hashlib.sha256()
    for part in parts:
        encoded = part.encode(errors="surrogateescape")
        digest.update(len(encoded).to_bytes(8, "little"))
        digest.update(encoded)
    return digest.hexdigest()


def paths_by_name(names: Sequence[str], paths: Sequence[str]) -> dict[str, list[Path]]:
    """Cut `paths` into equal runs, one for each name: the files of each model's folds, say."""
    each = len(paths) // len(names)
    return {
        name: [Path(path) for path in paths[number * each : (number + 1) * each]]
        for number, name in enumerate(names)
    }
