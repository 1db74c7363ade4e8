"""The shards of a store: files whose patches are read past HDF5, where the bytes lie.

HDF5 lets one thread of a process read at a time, and copies; the system does neither.
"""

import os
from contextlib import ExitStack
from pathlib import Path
from threading import Lock

import h5py
import numpy as np
from numpy.typing import NDArray

from landslip.files import InputError


class Shard:
    """The patches of one shard: one after another, as they are in memory.

    The file is opened when it is first read: a store has more shards than a process may have open
    files, and most jobs read few of them.

    Parameters
    ----------
    path
        The file.
    rows
        Rows of the store that it holds.
    patch
        (channel, row, column)
    stack
        Closes the file.
    """

    def __init__(
        self, path: Path, rows: range, patch: tuple[int, int, int], stack: ExitStack
    ) -> None:
        self.path = path
        self.rows = rows
        self._patch = patch
        self._stack = stack
        self._lock = Lock()
        self._opened: tuple[int, int] | None = None

    def read_into(self, target: NDArray[np.float32], row: int, channel: int) -> None:
        """Fill a contiguous array with the images from one row and channel of the store on."""
        descriptor, offset = self._open()
        depth, rows, columns = self._patch
        offset += 4 * rows * columns * ((row - self.rows.start) * depth + channel)
        wanted = target.data.cast("B")
        done = 0
        while done < len(wanted):
            count = os.preadv(descriptor, [wanted[done:]], offset + done)
            if count == 0:
                raise damaged(self.path, f"it ends {len(wanted) - done} bytes too early")
            done += count

    def _open(self) -> tuple[int, int]:
        """Its descriptor, and the byte of the first patch."""
        with self._lock:
            if self._opened is None:
                offset = self._find()
                descriptor = os.open(self.path, os.O_RDONLY)
                self._stack.callback(os.close, descriptor)
                self._opened = descriptor, offset
            return self._opened

    def _find(self) -> int:
        try:
            with h5py.File(self.path, "r", locking=False) as file:
                stored = file["patches"]
                offset = stored.id.get_offset()
                shape = (len(self.rows), *self._patch)
                fits = stored.shape == shape and stored.dtype == np.dtype("<f4")
        except FileNotFoundError:
            raise damaged(self.path, "this part of the store is missing") from None
        except (KeyError, OSError, RuntimeError) as error:
            raise damaged(self.path, str(error)) from error
        if offset is None or not fits:
            raise damaged(self.path, "it holds other patches than the index says")
        return int(offset)


def damaged(path: Path, why: str) -> InputError:
    """What to say of a file that is not what it was."""
    return InputError(f"{path} is damaged ({why}); delete the store and run again")
