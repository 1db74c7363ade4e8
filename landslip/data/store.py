"""The store of patches, read and verified.

A store is an index file `{split}.h5` beside a folder of shards, each a file of pixels with an index
of its own, so that a shard is a store by itself. An index holds the dataset `patches`
(n, channel, row, column) float32, a view of the files of pixels, and for each patch its `id`, its
`sha256` and the `crc32` of each of its channels; attributes are `format_version`, `channels` and
`content_digest`, which is made of ids and SHA-256s. Names of files are relative: the folder may
move as a whole. Whatever is read of pixels is compared with its CRC-32, as the pages of a parquet
file are; an index is verified as a whole before a job reads it (`landslip.jobs`), because HDF5
notices neither a changed byte nor a missing shard, and may not come back from a damaged file.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray
from zlib_ng import zlib_ng

from landslip.data.shards import Shard, damaged
from landslip.data.store_index import read_index, read_names
from landslip.files import InputError


@dataclass(frozen=True)
class PatchStore:
    """An open store. Threads may share it, processes may not.

    Attributes
    ----------
    path
        The index file, or one shard's.
    channels
        Their names, in order.
    shape
        (n, channel, row, column)
    digest
        SHA-256 of all the content, in hexadecimal; the same for any number of shards.
    """

    path: Path
    channels: list[str]
    shape: tuple[int, int, int, int]
    digest: str
    _shards: list[Shard]
    _file: h5py.File

    def __len__(self) -> int:
        """How many patches it holds."""
        return self.shape[0]

    @cached_property
    def ids(self) -> list[str]:
        """Names of all patches, in order."""
        return self.ids_of(range(len(self)))

    def ids_of(self, rows: range) -> list[str]:
        """Names of neighbouring patches, where those of all may be too many."""
        return read_names(self._file, slice(rows.start, rows.stop))

    def read(
        self,
        rows: NDArray[np.int64],
        channels: Sequence[str] | None = None,
        *,
        verify: bool = True,
        out: NDArray[np.float32] | None = None,
    ) -> NDArray[np.float32]:
        """Read patches.

        Parameters
        ----------
        rows
            Numbers of the patches, in any order. Neighbours are read together.
        channels
            Their names, in the order wanted; None: all.
        verify
            False only for what was read, and so verified, before.
        out
            Where to put them, contiguous; None: a new array.

        Returns
        -------
        (len(rows), channel, row, column)

        Raises
        ------
        InputError
            A patch is damaged or its shard is missing (the file is named), or the store has no
            such channel or row.
        """
        numbers = self._numbers(channels)
        rows = np.asarray(rows, np.int64)
        if rows.size and not (rows.min() >= 0 and rows.max() < len(self)):
            raise InputError(
                f"{self.path} holds {len(self)} patches, row {rows.min()} to {rows.max()} "
                "were asked for; it is of other data: delete it and run again"
            )
        shape = (len(rows), len(numbers), *self.shape[2:])
        patches = np.empty(shape, np.float32) if out is None else out
        checksums, stored_checksums = np.empty(patches.shape[:2], np.uint32), self._file["crc32"]
        try:
            for here, there in _runs(rows):
                for channel, stored in _runs(numbers):
                    self._fetch(patches[here, channel], there, stored)
                    if verify:
                        place, source = np.s_[here, channel], np.s_[there, stored]
                        stored_checksums.read_direct(checksums, source, place)
        except OSError as error:
            raise damaged(self.path, str(error)) from error
        if verify:
            self._verify(patches, checksums, rows, numbers)
        return patches

    def _fetch(self, target: NDArray[np.float32], rows: slice, channels: slice) -> None:
        """Read some neighbouring channels of neighbouring rows straight from the files."""
        whole = channels == slice(0, self.shape[1])
        for shard in self._shards:
            first, last = max(rows.start, shard.rows.start), min(rows.stop, shard.rows.stop)
            step = max(last - first, 1) if whole else 1
            for row in range(first, last, step):
                part = target[row - rows.start : row - rows.start + step]
                shard.read_into(part, row, channels.start)

    def _numbers(self, channels: Sequence[str] | None) -> NDArray[np.int64]:
        if channels is None:
            return np.arange(len(self.channels))
        unknown = [name for name in channels if name not in self.channels]
        if unknown:
            raise InputError(
                f"{self.path} has no channel {', '.join(unknown)}; it holds "
                f"{', '.join(self.channels)}. Delete it and run again to build it anew"
            )
        return np.array([self.channels.index(name) for name in channels], np.int64)

    def _verify(
        self,
        patches: NDArray[np.float32],
        checksums: NDArray[np.uint32],
        rows: NDArray[np.int64],
        numbers: NDArray[np.int64],
    ) -> None:
        for patch, expected, row in zip(patches, checksums.tolist(), rows.tolist(), strict=True):
            for image, checksum, number in zip(patch, expected, numbers.tolist(), strict=True):
                if zlib_ng.crc32(image) != checksum:
                    (name,) = self.ids_of(range(row, row + 1))
                    where = f"patch {name} (row {row}), channel {self.channels[number]}"
                    raise damaged(self._shard_of(row), f"the digest of {where} differs")

    def _shard_of(self, row: int) -> Path:
        """File that holds a row."""
        return next((shard.path for shard in self._shards if row in shard.rows), self.path)


@contextmanager
def open_store(path: Path) -> Iterator[PatchStore]:
    """Open a store for reading.

    Parameters
    ----------
    path
        The index file, or that of one shard, which is a store of its own patches.

    Raises
    ------
    InputError
        It is damaged, lacks a shard or has another format version.
    """
    try:
        # Nothing writes to a store that stands: locks would only fail on network file systems.
        file = h5py.File(path, "r", locking=False)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise damaged(path, str(error)) from error
    with file, ExitStack() as stack:
        yield _check(path, file, stack)


def content_digest_of(store: Path) -> str:
    """Digest of all that a store holds, however it is cut into shards."""
    with open_store(store) as opened:
        return opened.digest


def read_ids(store: Path) -> list[str]:
    """Ids of a store's patches, in its order."""
    with open_store(store) as opened:
        return opened.ids


def read_patches(
    store: Path,
    *,
    channels: Sequence[str] | None = None,
    rows: NDArray[np.int64] | None = None,
) -> NDArray[np.float32]:
    """Read patches of a store, verified.

    Parameters
    ----------
    store
        The index file.
    channels, rows
        Which, in the order wanted; None: all.

    Returns
    -------
    (n, channel, row, column)

    Raises
    ------
    InputError
        As `open_store` and `PatchStore.read` do.
    """
    with open_store(store) as opened:
        wanted = np.arange(len(opened)) if rows is None else rows
        return opened.read(wanted, channels)


def _check(path: Path, file: h5py.File, stack: ExitStack) -> PatchStore:
    """Compare an open index with itself and with this program."""
    index = read_index(path, file)
    shards, first = [], 0
    for pixels in index.shards:
        following = first + pixels.patches
        shards.append(Shard(pixels, range(first, following), index.shape[1:], stack))
        first = following
    return PatchStore(path, index.channels, index.shape, index.digest, shards, file)


def _runs(numbers: NDArray[np.int64]) -> Iterator[tuple[slice, slice]]:
    """Stretches of consecutive numbers: where they stand, and which they are."""
    if numbers.size == 0:
        return
    breaks = np.flatnonzero(np.diff(numbers) != 1) + 1
    for start, stop in pairwise([0, *breaks.tolist(), len(numbers)]):
        first = int(numbers[start])
        yield slice(start, stop), slice(first, first + stop - start)
