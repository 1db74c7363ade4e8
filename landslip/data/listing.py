"""What tables and patch folders are, cheap enough to look at whenever the workflow starts."""

import os
import stat
from functools import cache
from pathlib import Path

from landslip.io.files import InputError, file_digest, text_digest
from landslip.io.ordinary_files import not_ordinary


def check_sources(*paths: str | None) -> None:
    """Refuse files named in the config that are no ordinary files; absent ones pass.

    Snakemake opens its input files, and would wait for a pipe without end.
    """
    wrong = not_ordinary(path for path in paths if path)
    if wrong:
        raise InputError("; ".join(f"{path} is {kind}" for path, kind in wrong.items()))


def content_digest(path: Path) -> str:
    """SHA-256 of a user's file, or a word that says why it has none.

    Within a process a file is read once, and again only when its size, place or time changes.
    """
    try:
        found = path.stat()
    except OSError:
        return "absent"
    if not stat.S_ISREG(found.st_mode):
        return "not a file"
    try:
        return _digest(path, found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)
    except PermissionError:  # the job that reads it says so
        return "unreadable"


@cache
def _digest(path: Path, *_seen: int) -> str:
    return file_digest(path)


def listing_digest(folder: Path) -> str:
    """Digest of the names and sizes of a folder's patches, and of where links lead.

    New, missing or resized patches change it; touched ones, and ones replaced by files of the same
    size, do not.

    Raises
    ------
    InputError
        There is no such folder.
    """
    try:
        with os.scandir(folder) as entries:
            sizes = sorted(_described(entry) for entry in entries if entry.name.endswith(".npy"))
    except OSError as error:
        raise InputError(
            f"cannot list the patch folder {folder} ({error.strerror}); "
            "set data.folder, or data.train.patches and data.test.patches"
        ) from error
    return text_digest(*sizes)


def _described(entry: os.DirEntry[str]) -> str:
    """Name and size, and of a link where it leads and the size of what is there."""
    try:
        if not entry.is_symlink():
            return f"{entry.name} {entry.stat(follow_symlinks=False).st_size}"
        target = os.readlink(entry.path)
        size = os.stat(entry.path).st_size if os.path.exists(entry.path) else None
    except FileNotFoundError:  # gone since the folder was listed
        return entry.name
    return f"{entry.name} {target} {size}"
