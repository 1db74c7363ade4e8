"""The pixels of a store: files whose patches are read past HDF5, where the bytes lie.

HDF5 lets one thread of a process read at a time, and copies; the system does neither. And it trusts
what it reads of a file's structure: the index says where the patches lie, so that nothing else in
these gigabytes, which no job hashes, needs to be right.
"""

import os
from contextlib import ExitStack
from pathlib import Path
from threading import Lock
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from landslip.files import InputError


class Pixels(NamedTuple):
    """Where the patches of a shard lie."""

    path: Path
    patches: int
    offset: int
    """Of the first patch, in bytes."""
    size: int
    """Of the file, in bytes."""


class Shard:
    """The patches of one shard: one after another, as they are in memory.

    The file is opened when it is first read: a store has more shards than a process may have open
    files, and most jobs read few of them.

    Parameters
    ----------
    pixels
        The file.
    rows
        Rows of the store that it holds.
    patch
        (channel, row, column)
    stack
        Closes the file.
    """

    def __init__(
        self, pixels: Pixels, rows: range, patch: tuple[int, int, int], stack: ExitStack
    ) -> None:
        self.path = pixels.path
        self._pixels = pixels
        self.rows = rows
        self._patch = patch
        self._stack = stack
        self._lock = Lock()
        self._opened: int | None = None

    def read_into(self, target: NDArray[np.float32], row: int, channel: int) -> None:
        """Fill a contiguous array with the images from one row and channel of the store on."""
        descriptor = self._open()
        depth, rows, columns = self._patch
        offset = self._pixels.offset + 4 * rows * columns * (
            (row - self.rows.start) * depth + channel
        )
        wanted = target.data.cast("B")
        done = 0
        while done < len(wanted):
            count = os.preadv(descriptor, [wanted[done:]], offset + done)
            if count == 0:
                raise damaged(self.path, f"it ends {len(wanted) - done} bytes too early")
            done += count

    def _open(self) -> int:
        """Its descriptor."""
        with self._lock:
            if self._opened is None:
                try:
                    descriptor = os.open(self.path, os.O_RDONLY)
                except FileNotFoundError:
                    raise damaged(self.path, "this part of the store is missing") from None
                self._stack.callback(os.close, descriptor)
                size = os.fstat(descriptor).st_size
                if size != self._pixels.size:
                    raise damaged(self.path, f"{size} bytes, {self._pixels.size} expected")
                self._opened = descriptor
            return self._opened


def damaged(path: Path, why: str) -> InputError:
    """What to say of a file that is not what it was."""
    return InputError(f"{path} is damaged ({why}); delete the store and run again")
