"""The shards of a store: files whose patches are read past HDF5, where the bytes lie.

HDF5 lets one thread of a process read at a time, and copies; the system does neither.
"""

import os
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from landslip.files import InputError


@dataclass(frozen=True)
class Shard:
    """Where the patches of one shard lie: one after another, as they are in memory."""

    path: Path
    rows: range
    """Rows of the store that it holds."""
    descriptor: int
    offset: int
    """First byte of the first patch."""


def rows_of(source: Any) -> tuple[int, int]:
    """First row of the store that a shard holds, and the one after its last."""
    (first, *_), (last, *_) = source.vspace.get_select_bounds()
    return int(first), int(last) + 1


def open_shard(
    path: Path, name: str, first: int, stop: int, patch: tuple[int, int, int], stack: ExitStack
) -> Shard:
    """Find the patches in a shard and keep the file open as long as `stack`."""
    try:
        with h5py.File(path, "r", locking=False) as file:
            stored = file[name]
            offset = stored.id.get_offset()
            fits = stored.shape == (stop - first, *patch) and stored.dtype == np.dtype("<f4")
    except FileNotFoundError:
        raise damaged(path, "this part of the store is missing") from None
    except (KeyError, OSError, RuntimeError) as error:
        raise damaged(path, str(error)) from error
    if offset is None or not fits:
        raise damaged(path, "it holds other patches than the index says")
    descriptor = os.open(path, os.O_RDONLY)
    stack.callback(os.close, descriptor)
    return Shard(path, range(first, stop), descriptor, int(offset))


def read_into(target: NDArray[np.float32], shard: Shard, offset: int) -> None:
    """Fill a contiguous array with the bytes at `offset`."""
    wanted = target.data.cast("B")
    done = 0
    while done < len(wanted):
        count = os.preadv(shard.descriptor, [wanted[done:]], offset + done)
        if count == 0:
            raise damaged(shard.path, f"it ends {len(wanted) - done} bytes too early")
        done += count


def damaged(path: Path, why: str) -> InputError:
    """What to say of a file that is not what it was."""
    return InputError(f"{path} is damaged ({why}); delete the store and run again")
