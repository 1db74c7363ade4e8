"""The store of patches, read and verified.

A store is an index `{split}.h5` beside a folder of shards, each of them a store by itself: an index
and a file of pixels. An index holds the dataset `patches` (n, channel, row, column) float32, a view
of the files of pixels; for each patch its `id`, its `sha256` and the `crc32` of each of its
channels; the files of pixels, by relative names, so the folder may move as a whole; and attributes.

HDF5's own checksums (fletcher32) were measured instead: 1,024 patches in random order took 180 ms
of processor time in a chunk each, 260 ms in a chunk an image, 58 ms so; four channels of each 164,
81 and 25 ms (an AMD EPYC, `benchmarks/checksums.py`), and one thread at a time may read. So pixels
lie one after another, are read past HDF5 and compared with CRC-32s of the index, which a job
verifies as a whole before it opens it (`landslip.engine.jobs`): nothing else in the gigabytes of
pixels needs to be right.
"""

import hashlib
import os
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import h5py
import numpy as np
from numpy.typing import NDArray
from zlib_ng import zlib_ng

from landslip.io.files import InputError

FORMAT_VERSION = 4


class Pixels(NamedTuple):
    """The file that holds the patches of a shard, and where in it they begin."""

    path: Path
    patches: int
    offset: int
    """Of the first patch, in bytes."""
    size: int
    """Of the file, in bytes."""


class Checks(NamedTuple):
    """What an index says of some patches, one after another."""

    ids: NDArray[np.bytes_]
    """UTF-8."""
    sha256: NDArray[np.uint8]
    """(n, 32), of each patch's bytes, channel after channel, float32."""
    crc32: NDArray[np.uint32]
    """(n, channel), of each channel's bytes."""


class _Shard:
    """The patches of one file of pixels, opened when it is first read.

    A store has more shards than a process may have open files; most jobs read few of them.
    """

    def __init__(self, pixels: Pixels, start: int, file: h5py.File, stack: ExitStack) -> None:
        self.pixels, self.start = pixels, start
        self._file, self._stack = file, stack

    @cached_property
    def crc32(self) -> NDArray[np.uint32]:
        """(n, channel), by the index."""
        return np.asarray(self._file["crc32"][self.start : self.start + self.pixels.patches])

    @cached_property
    def _descriptor(self) -> int:
        try:
            descriptor = os.open(self.pixels.path, os.O_RDONLY)
        except FileNotFoundError:
            raise damaged(self.pixels.path, "this part of the store is missing") from None
        self._stack.callback(os.close, descriptor)
        size = os.fstat(descriptor).st_size
        if size != self.pixels.size:
            raise damaged(self.pixels.path, f"{size} bytes, {self.pixels.size} expected")
        return descriptor

    def read_into(self, target: NDArray[np.float32], image: int) -> None:
        """Fill a contiguous array with the images from this one of the shard on."""
        wanted = target.data.cast("B")
        offset = self.pixels.offset + image * target[0].nbytes
        while wanted:
            count = os.preadv(self._descriptor, [wanted], offset)
            if count == 0:
                raise damaged(self.pixels.path, f"it ends {len(wanted)} bytes too early")
            wanted, offset = wanted[count:], offset + count


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
    _file: h5py.File
    _shards: list[_Shard]

    def __len__(self) -> int:
        """How many patches it holds."""
        return self.shape[0]

    @property
    def pixels(self) -> list[Pixels]:
        """Files that hold its patches, in order."""
        return [shard.pixels for shard in self._shards]

    @cached_property
    def ids(self) -> list[str]:
        """Names of all patches, in order."""
        return [str(name) for name in self._file["id"].asstr()[:]]

    def checks(self) -> Checks:
        """Ids and checksums of all patches."""
        return Checks(*(self._file[name][:] for name in ("id", "sha256", "crc32")))

    def read(
        self,
        rows: NDArray[np.int64],
        channels: Sequence[str] | None = None,
        *,
        out: NDArray[np.float32] | None = None,
    ) -> NDArray[np.float32]:
        """Read patches.

        Parameters
        ----------
        rows
            Numbers of the patches, in any order.
        channels
            Their names, in the order wanted; None: all.
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
        starts = [shard.start for shard in self._shards]
        # neighbouring channels are read at once
        step = len(numbers) if np.all(np.diff(numbers) == 1) and numbers else 1
        try:
            for patch, row in zip(patches, rows.tolist(), strict=True):
                shard = self._shards[bisect_right(starts, row) - 1]
                first = (row - shard.start) * len(self.channels)
                for start in range(0, len(numbers), step):
                    shard.read_into(patch[start : start + step], first + numbers[start])
                self._verify(patch, numbers, shard, row)
        except OSError as error:
            raise damaged(self.path, str(error)) from error
        return patches

    def _numbers(self, channels: Sequence[str] | None) -> list[int]:
        channels = self.channels if channels is None else channels
        unknown = [name for name in channels if name not in self.channels]
        if unknown:
            raise InputError(
                f"{self.path} has no channel {', '.join(unknown)}; it holds "
                f"{', '.join(self.channels)}. Delete it and run again to build it anew"
            )
        return [self.channels.index(name) for name in channels]

    def _verify(
        self, patch: NDArray[np.float32], numbers: list[int], shard: _Shard, row: int
    ) -> None:
        expected = shard.crc32[row - shard.start].tolist()
        for image, number in zip(patch, numbers, strict=True):
            if zlib_ng.crc32(image) != expected[number]:
                where = f"patch {self.ids[row]} (row {row}), channel {self.channels[number]}"
                raise damaged(shard.pixels.path, f"the digest of {where} differs")


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
    with ExitStack() as stack:
        try:
            # Nothing writes to a store that stands: locks would only fail on network file systems.
            file = stack.enter_context(h5py.File(path, "r", locking=False))
            store = _read_index(path, file, stack)
        except (FileNotFoundError, InputError):
            raise
        except (KeyError, OSError, RuntimeError, TypeError, ValueError) as error:
            raise damaged(path, str(error)) from error
        yield store


@contextmanager
def open_store_of(path: Path, ids: Iterable[str]) -> Iterator[PatchStore]:
    """Open a store that holds these patches, in this order: those of the folds, say.

    Raises
    ------
    InputError
        As `open_store` raises it, or it holds others.
    """
    with open_store(path) as opened:
        if opened.ids != list(ids):
            raise InputError(
                f"{path} holds other patches than the folds; delete both and run again"
            )
        yield opened


def content_digest_of(store: Path) -> str:
    """Digest of all that a store holds, however it is cut into shards."""
    with open_store(store) as opened:
        return opened.digest


def read_ids(store: Path) -> list[str]:
    """Read the ids of a store's patches, in its order."""
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
        return opened.read(np.arange(len(opened)) if rows is None else rows, channels)


def _read_index(path: Path, file: h5py.File, stack: ExitStack) -> PatchStore:
    """Compare an index with itself and with this program."""
    version = int(file.attrs["format_version"])
    if version != FORMAT_VERSION:
        raise InputError(
            f"{path} has format version {version}, this program reads {FORMAT_VERSION}; "
            "delete it and run again to build it anew"
        )
    channels = [str(name) for name in file.attrs["channels"]]
    # Not from `patches` itself: HDF5 may crash on a damaged view.
    n, depth, rows, columns = (int(length) for length in file.attrs["shape"])
    digest = content_digest(file, channels, (n, depth, rows, columns))
    shards, start = [], 0
    for name, *place in file["shard"][:].tolist():
        pixels = Pixels(path.parent / name.decode(), *place)
        shards.append(_Shard(pixels, start, file, stack))
        start += pixels.patches
    fits = (n, depth) == (start, len(channels)) == file["crc32"].shape
    if not fits or digest != str(file.attrs["content_digest"]):
        raise damaged(path, "its content digest differs from its content")
    return PatchStore(path, channels, (n, depth, rows, columns), digest, file, shards)


def content_digest(file: h5py.File, channels: Sequence[str], shape: Sequence[int]) -> str:
    """SHA-256 of all that an index stands for, however it is cut into shards."""
    # NUL stands in no name, so where one ends and the next begins counts.
    head = [f"landslip store {FORMAT_VERSION}", *map(str, shape), *channels]
    total = hashlib.sha256("\0".join(head).encode() + b"\0")
    for name in ("id", "sha256"):
        rows = file[name][:]
        total.update(f"{len(rows)}\0".encode())
        total.update(b"".join(b"%s\0" % text for text in rows) if rows.ndim == 1 else rows)
    return total.hexdigest()


def damaged(path: Path, why: str) -> InputError:
    """The error of a file that has changed since it was written."""
    return InputError(f"{path} is damaged ({why}); delete the store and run again")
