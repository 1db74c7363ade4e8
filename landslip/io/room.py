"""What is said where a disk is full, a quota used up or a limit reached, whoever was writing."""

import errno
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

FULL = {
    errno.ENOSPC: ("disk full", "free space"),
    errno.EDQUOT: ("quota used up", "free space or ask for more"),
    errno.EFBIG: ("limit on the size of files reached", "raise it (ulimit -f)"),
}
"""errno -> what is used up, and what to do."""
_PROBE = 1 << 20  # bytes


class NoRoomError(OSError):
    """There is no room for a file: the message says which, and what to do."""


@contextmanager
def named_if_full(target: Path, written: Path | None = None) -> Iterator[None]:
    """Say which file there is no room for, and what to do.

    Parameters
    ----------
    target
        The file as the user knows it.
    written
        Where the block puts its bytes; None: into `target` itself.

    Raises
    ------
    NoRoomError
        In place of what the block raises because the disk, a quota or a limit is reached, whatever
        its library makes of it.
    """
    written = target if written is None else written
    try:
        yield
    except NoRoomError:
        raise
    # where HDF5 cannot close a file, h5py raises RuntimeError
    except (OSError, RuntimeError) as error:
        number = _why_full(error, written)
        if number is None:
            raise
        size = written.stat().st_size if written.exists() else 0
        what, remedy = FULL[number]
        message = f"{what} after {size} bytes while writing {target}; {remedy} and run again"
        raise NoRoomError(number, message) from error


def in_words(error: Exception) -> str:
    """What an error says, with what to do where there is no room and no writer has said so."""
    if not isinstance(error, OSError) or isinstance(error, NoRoomError):
        return str(error)
    known = FULL.get(error.errno or 0)
    return str(error) if known is None else f"{error}; {known[1]} and run again"


def _why_full(error: OSError | RuntimeError, temporary: Path) -> int | None:
    """The errno of the lack of room that made a write fail, if that is why.

    Libraries put it into their words (HDF5) or leave it out (NumPy): where there is none, some
    more is written to see.
    """
    if isinstance(error, OSError) and error.errno is not None:
        known: int | None = error.errno
    else:
        named = re.search(r"errno = (\d+)", str(error))
        known = int(named[1]) if named else None
    if known is None or (known not in FULL and isinstance(error, RuntimeError)):
        try:
            with open(temporary, "ab", buffering=0) as file:
                written = file.write(bytes(_PROBE))
                file.write(bytes(_PROBE - written))
        except OSError as found:
            known = found.errno
    return known if known in FULL else None
