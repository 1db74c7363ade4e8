"""Locks that the kernel frees when their process ends, however it ends.

Where a file system knows no locks, nobody is kept out: a run there must not need them.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from landslip.io.files import InputError


def try_lock(file: IO[str] | int, kind: int, *, patience: float = 0) -> bool | None:
    """Lock an open file against other processes.

    Parameters
    ----------
    file
        Its lock lasts until it is closed or the process ends.
    kind
        `fcntl.LOCK_EX` for one process alone, `fcntl.LOCK_SH` for those that share it.
    patience
        Seconds to wait for another process.

    Returns
    -------
    bool or None
        Whether the lock is held; None where the file system knows no locks.
    """
    end = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(file, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= end:
                return False
            time.sleep(0.1)
        except OSError:
            return None
        else:
            return True


@contextmanager
def exclusive(folder: Path | str, *, patience: float = 300) -> Iterator[None]:
    """Keep other processes that ask for it out of a folder.

    Parameters
    ----------
    folder
        It exists.
    patience
        Seconds to wait for another process, which may be about to end.

    Raises
    ------
    InputError
        Another process is still at work there.
    """
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        if try_lock(descriptor, fcntl.LOCK_EX, patience=patience) is False:
            raise InputError(
                f"another process is at work in {folder}, left over from a run that was killed; "
                "wait until it has ended, or end it"
            )
        yield
    finally:
        os.close(descriptor)
