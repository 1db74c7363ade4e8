"""Files that users name are opened only if they are ordinary: a pipe would be waited for."""

import errno
import os
import stat
from collections.abc import Iterable
from io import BufferedReader
from pathlib import Path

_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


def open_ordinary(path: Path | str) -> BufferedReader:
    """Open an ordinary file, or a link to one, for reading bytes.

    Raises
    ------
    OSError
        The file is of another kind (the message says which) or cannot be opened. Nothing is
        waited for, and no device is touched.
    """
    _check(os.stat(path).st_mode)
    return open(path, "rb", opener=_open_at_once)


def not_ordinary(paths: Iterable[Path | str]) -> dict[str, str]:
    """Those of some paths that lead to something else than an ordinary file, and to what.

    Paths that lead to nothing are left out; nothing is opened.
    """
    found = {}
    for path in paths:
        try:
            _check(os.stat(path).st_mode)
        except FileNotFoundError:
            continue
        except OSError as error:
            found[str(path)] = error.strerror or str(error)
    return found


def _check(mode: int) -> None:
    if not stat.S_ISREG(mode):
        kind = _KINDS.get(stat.S_IFMT(mode), "something else")
        raise OSError(errno.EINVAL, f"{kind}, not an ordinary file")


def _open_at_once(path: str, flags: int) -> int:
    # The path may lead elsewhere by now: what was opened is looked at again.
    descriptor = os.open(path, flags | getattr(os, "O_NONBLOCK", 0))
    try:
        _check(os.fstat(descriptor).st_mode)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor
