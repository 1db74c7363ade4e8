"""The store of patches, built from the .npy files of one split: shard by shard, then joined."""

import hashlib
import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from numpy.typing import NDArray
from zlib_ng import zlib_ng

from landslip.data.channels import add_indices
from landslip.data.nodata import DATA, ZERO, NoData, find_no_data
from landslip.data.patches import as_float32, patch_shape, read_same_patch
from landslip.data.shards import Pixels, damaged
from landslip.data.store_index import (
    SHA256_BYTES,
    Index,
    Rows,
    as_ids,
    id_bytes,
    read_index,
    read_rows,
    write_index,
)
from landslip.files import InputError, atomic_path

log = logging.getLogger(__name__)

# Patches that a worker converts at once, and between two reports.
_BLOCK, _CHUNK = 32, 256
# A fixed file format, so that another release of HDF5 writes what this one reads; its metadata
# carries checksums.
_LIBVER = ("v110", "v110")


@dataclass(frozen=True)
class _Task:
    """What a worker needs to convert some patches; plain, as it travels to another process."""

    target: Path
    offset: int
    """Byte of the first patch."""
    patches: Sequence[Path]
    ids: Sequence[str]
    sha256: Sequence[str]
    shape: tuple[int, int]
    channels: Sequence[str]
    pairs: Sequence[tuple[int, int]]
    no_data: NoData
    fill: bool
    fill_zeros: bool


@dataclass(frozen=True)
class _Checks:
    """What later reads of patches are compared with: sha256 (n, 32) and crc32 (n, channel)."""

    sha256: NDArray[np.uint8]
    crc32: NDArray[np.uint32]


def write_shard(
    manifest: pd.DataFrame,
    *,
    channels: Sequence[str],
    indices: Mapping[str, tuple[str, str]],
    no_data: NoData,
    on_nonfinite: str,
    on_zeros: str,
    workers: int,
    pixels: Path,
    target: Path,
) -> None:
    """Write one shard of a store.

    The same patches give the same bytes, whatever `workers`.

    Parameters
    ----------
    manifest
        Rows with status ok, in order: id, path, sha256. There may be none.
    channels
        Names of the patches' channels, in the order of their last axis.
    indices
        Name -> the channels (a, b) of (a - b) / (a + b); appended in this order.
    no_data
        What tells pixels without data.
    on_nonfinite
        "fill": NaN, infinity and values that mean no data become the median of the pixels with
        data of their channel and patch (0 where there is none); "refuse".
    on_zeros
        The same for zeros in all channels of a group of `no_data`.
    workers
        Processes; each holds at most 32 patches at once.
    pixels, target
        HDF5, in one folder: the patches, and the index that makes them a store (see
        `landslip.data.store`), which is written last.

    Raises
    ------
    InputError
        A patch has changed since it was surveyed, holds pixels without data that are to be
        refused, or cannot be read.
    """
    paths = [Path(path) for path in manifest["path"]]
    ids = [str(name) for name in manifest["id"]]
    sha256 = [str(value) for value in manifest["sha256"]]
    bands = list(channels)
    pairs = [(bands.index(first), bands.index(second)) for first, second in indices.values()]
    # by the header of the first: every patch is compared with it when it is read, whole
    rows, columns = (paths and patch_shape(paths[0], len(bands))) or (0, 0)
    shape = (len(ids), len(bands) + len(pairs), rows, columns)
    names = [*bands, *indices]
    with atomic_path(pixels) as temporary:
        offset = _lay_out(temporary, shape)
        tasks = [
            _Task(
                target=temporary,
                offset=offset + 4 * start * shape[1] * rows * columns,
                patches=paths[start : start + _CHUNK],
                ids=ids[start : start + _CHUNK],
                sha256=sha256[start : start + _CHUNK],
                shape=(rows, columns),
                channels=bands,
                pairs=pairs,
                no_data=no_data,
                fill=on_nonfinite == "fill",
                fill_zeros=on_zeros == "fill",
            )
            for start in range(0, len(ids), _CHUNK)
        ]
        checks = _convert_all(tasks, workers, target, len(ids))
    stored = as_ids(ids)
    place = Pixels(Path(pixels.name), len(ids), offset, pixels.stat().st_size)
    with (
        atomic_path(target) as temporary,
        h5py.File(temporary, "w", libver=_LIBVER, locking=False) as file,
    ):
        _view(file, [place], shape)
        write_index(
            file,
            rows=[Rows(stored, checks.sha256, checks.crc32.reshape(shape[:2]))],
            channels=names,
            shape=shape,
            id_bytes=stored.itemsize,
            shards=[place],
        )


def join_shards(shards: Sequence[Path], *, target: Path) -> None:
    """Write the index that makes one store of its shards.

    The same patches give the same content digest, however many shards there are. Files of other
    shards in their folder, left by a run with more of them, are removed.

    Parameters
    ----------
    shards
        Their index files, in order, in one folder beside or below `target`.
    target
        The index file.

    Raises
    ------
    InputError
        A shard is damaged or has other channels or another size than the first; or there is no
        patch.
    """
    found = [_read_shard(path) for path in shards]
    parts = [(index, length) for index, length in found if index.shape[0]]
    if not parts:
        raise InputError(f"{target}: there is no usable patch to store; see the audit")
    indices = [index for index, _ in parts]
    _refuse_differences(indices)
    first = indices[0]
    n = sum(index.shape[0] for index in indices)
    places = [_place_from(target, place) for index in indices for place in index.shards]
    shape = (n, *first.shape[1:])
    with (
        atomic_path(target) as temporary,
        h5py.File(temporary, "w", libver=_LIBVER, locking=False) as file,
    ):
        _view(file, places, shape)
        write_index(
            file,
            rows=_rows_of(indices),
            channels=first.channels,
            shape=shape,
            id_bytes=max(length for _, length in parts),
            shards=places,
        )
    kept = {*shards, *(place.path for index, _ in found for place in index.shards)}
    for stale in set(first.path.parent.glob("*.h5")) - kept:
        stale.unlink()
        stale.with_suffix(".sha256").unlink(missing_ok=True)
    log.info("%s: %d patches in %d shards", target, n, len(parts))


def _read_shard(path: Path) -> tuple[Index, int]:
    """A shard, verified, and how many bytes its longest id takes."""
    try:
        with h5py.File(path, "r", locking=False) as file:
            return read_index(path, file), id_bytes(file)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise damaged(path, str(error)) from error


def _rows_of(shards: Sequence[Index]) -> Iterator[Rows]:
    """What shards say of their patches, one shard open at a time."""
    for shard in shards:
        with h5py.File(shard.path, "r", locking=False) as file:
            yield from read_rows(file)


def _refuse_differences(indices: Sequence[Index]) -> None:
    """Shards of one store have the same channels and size."""
    first = indices[0]
    for index in indices[1:]:
        if (index.channels, index.shape[1:]) != (first.channels, first.shape[1:]):
            raise InputError(
                f"{index.path} holds {', '.join(index.channels)} of {index.shape[2]} x "
                f"{index.shape[3]} pixels, {first.path} {', '.join(first.channels)} of "
                f"{first.shape[2]} x {first.shape[3]}; delete both and run again"
            )


def _lay_out(target: Path, shape: tuple[int, int, int, int]) -> int:
    """Make the file with room for all patches; return where they begin, in bytes."""
    with h5py.File(target, "w", libver=_LIBVER, locking=False) as file:
        # contiguous and raw: reading is copying, and workers write past HDF5, side by side
        settings = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        settings.set_obj_track_times(False)
        settings.set_layout(h5py.h5d.CONTIGUOUS)
        settings.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
        settings.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
        space = h5py.h5s.create_simple(shape)
        stored = h5py.h5d.create(file.id, b"patches", h5py.h5t.IEEE_F32LE, space, settings)
        return int(stored.get_offset() or 0)


def _convert_all(tasks: Sequence[_Task], workers: int, target: Path, n: int) -> _Checks:
    """Convert in worker processes, saying how far they are."""
    # loky's workers do not run the caller's script again, as spawn and forkserver would
    pool = Parallel(n_jobs=min(workers, len(tasks)) or 1, backend="loky", return_as="generator")
    found: list[_Checks] = []
    done = 0
    for checks in pool(delayed(_convert)(task) for task in tasks):
        found.append(checks)
        before, done = done, done + len(checks.sha256)
        if done * 4 // n > before * 4 // n:
            log.info("%s: %d of %d patches", target, done, n)
    if not found:
        return _Checks(np.empty((0, SHA256_BYTES), np.uint8), np.empty(0, np.uint32))
    return _Checks(
        np.concatenate([checks.sha256 for checks in found]),
        np.concatenate([checks.crc32 for checks in found]),
    )


def _convert(task: _Task) -> _Checks:
    """Put some patches at their place in the shard; return the digests of what was put there."""
    n, depth = len(task.ids), len(task.channels) + len(task.pairs)
    checks = _Checks(np.empty((n, SHA256_BYTES), np.uint8), np.empty((n, depth), np.uint32))
    with open(task.target, "rb+", buffering=0) as file:
        file.seek(task.offset)
        for start in range(0, n, _BLOCK):
            stop = min(start + _BLOCK, n)
            bands = np.stack([_read(task, i) for i in range(start, stop)])
            block = np.ascontiguousarray(add_indices(bands, task.pairs), "<f4")
            _write_all(file.fileno(), block.data.cast("B"))
            for i, patch in enumerate(block, start):
                checks.sha256[i] = np.frombuffer(hashlib.sha256(patch).digest(), np.uint8)
                checks.crc32[i] = [zlib_ng.crc32(image) for image in patch]
    return checks


def _write_all(descriptor: int, content: memoryview) -> None:
    """The system may take less than it is given; where the disk is full it then says so."""
    while content:
        content = content[os.write(descriptor, content) :]


def _read(task: _Task, number: int) -> NDArray[np.float32]:
    """One patch (channel, row, column), as the manifest knows it, finite."""
    path, patch_id = task.patches[number], task.ids[number]
    patch = as_float32(read_same_patch(path, len(task.channels), task.shape, task.sha256[number]))
    bands = np.ascontiguousarray(patch.transpose(2, 0, 1))
    codes = find_no_data(bands.reshape(len(bands), -1), task.no_data)
    if codes is not None:
        missing = (codes != DATA).reshape(bands.shape)
        zero = (codes == ZERO).reshape(bands.shape)
        refused = (missing & ~zero & (not task.fill)) | (zero & (not task.fill_zeros))
        if refused.any():
            channel, row, column = (int(i) for i in np.argwhere(refused)[0])
            key = "on_zeros" if zero[channel, row, column] else "on_nonfinite"
            raise InputError(
                f"patch {patch_id} ({path}): channel {task.channels[channel]}, row {row}, column "
                f"{column} is {bands[channel, row, column]}, in float32, and no data; mend the "
                f"patch or set data.{key}: fill"
            )
        fill_holes(bands, missing)
    return bands


def fill_holes(bands: NDArray[np.float32], missing: NDArray[np.bool_]) -> None:
    """Replace pixels without data in a patch (channel, row, column), in place.

    They become the median of the other pixels of their channel, 0 where there is none.
    """
    for channel, holes in zip(bands, missing, strict=True):
        if holes.any():
            # in float64: the mean of the two middle pixels must not overflow
            known = channel[~holes].astype(np.float64)
            channel[holes] = np.median(known) if known.size else 0


def _place_from(target: Path, place: Pixels) -> Pixels:
    """Named from the folder of the index, so that they may move together."""
    return place._replace(path=place.path.relative_to(target.parent))


def _view(file: h5py.File, places: Sequence[Pixels], shape: tuple[int, int, int, int]) -> None:
    """Make `patches` a view of the files of pixels.

    h5py's own way (`create_virtual_dataset`) stamps the time on it: the same content would give
    other bytes each second.
    """
    view = h5py.h5s.create_simple(shape)
    settings = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    settings.set_obj_track_times(False)
    # where a shard is missing, other programs read NaN, not a plausible zero
    settings.set_fill_value(np.array(np.nan, "<f4"))
    start = 0
    for place in places:
        if not place.patches:
            continue
        part = (place.patches, *shape[1:])
        view.select_hyperslab((start, 0, 0, 0), part)
        name = place.path.as_posix().encode()
        settings.set_virtual(view, name, b"patches", h5py.h5s.create_simple(part))
        start += place.patches
    view.select_all()
    h5py.h5d.create(file.id, b"patches", h5py.h5t.IEEE_F32LE, view, settings)
