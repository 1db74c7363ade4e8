"""The store of patches, built from those of one split: shard by shard, then joined."""

import hashlib
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from numpy.typing import NDArray
from zlib_ng import zlib_ng

from landslip.data.channels import add_indices
from landslip.data.nodata import DATA, ZERO, NoData, find_no_data
from landslip.data.patches import as_float32
from landslip.data.source import PatchFiles, PatchReader, read_unchanged
from landslip.data.store import FORMAT_VERSION, Checks, Pixels, content_digest, open_store
from landslip.io.files import InputError, atomic_path

log = logging.getLogger(__name__)

# Patches that a worker converts at once, and between two reports, at least.
_BLOCK, _CHUNK = 32, 256
# A fixed file format, so that another release of HDF5 writes what this one reads; its metadata
# carries checksums.
_LIBVER = ("v110", "v110")


@dataclass(frozen=True)
class _Conversion:
    """How what is read becomes patches of the store; plain, as it travels to another process."""

    reader: PatchReader
    channels: Sequence[str]
    pairs: Sequence[tuple[int, int]]
    size: tuple[int, int]
    no_data: NoData
    fill: bool
    fill_zeros: bool


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
    reader: PatchReader | None = None,
) -> None:
    """Write one shard of a store.

    The same patches give the same bytes, whatever `workers`.

    Parameters
    ----------
    manifest
        Rows with status ok, in order: id, the reader's columns, sha256. There may be none.
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
    reader
        Of the patches; None: they are files.

    Raises
    ------
    InputError
        A patch has changed since it was surveyed, holds pixels without data that are to be
        refused, or cannot be read.
    """
    bands = list(channels)
    pairs = [(bands.index(first), bands.index(second)) for first, second in indices.values()]
    n, names = len(manifest), [*bands, *indices]
    reader = reader or PatchFiles(len(bands))
    # of the first: every patch is compared with it when it is read, whole
    rows, columns = (reader.shape(manifest) if n else None) or (0, 0)
    how = _Conversion(
        reader, bands, pairs, (rows, columns), no_data, on_nonfinite == "fill", on_zeros == "fill"
    )
    shape = (n, len(names), rows, columns)
    with atomic_path(pixels) as temporary:
        offset = _lay_out(temporary, shape)
        found = _convert_all(manifest, how, temporary, offset, workers)
    place = Pixels(pixels, n, offset, pixels.stat().st_size)
    _write_index(target, names, shape, [place], found)


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
    full, pixels, checks = [], [], []
    kept = set(shards)
    for path in shards:
        with open_store(path) as shard:
            kept.update(place.path for place in shard.pixels)
            if len(shard):
                full.append(shard)
                pixels += shard.pixels
                checks.append(shard.checks())
    if not full:
        raise InputError(f"{target}: there is no usable patch to store; see the audit")
    for shard in full:
        if (shard.channels, shard.shape[1:]) != (full[0].channels, full[0].shape[1:]):
            first, other = (
                f"{s.path} holds {', '.join(s.channels)} of {s.shape[2]} x {s.shape[3]} pixels"
                for s in (full[0], shard)
            )
            raise InputError(f"{other}, {first}; delete both and run again")

    n = sum(map(len, full))
    whole = Checks(*map(np.concatenate, zip(*checks, strict=True)))
    _write_index(target, full[0].channels, (n, *full[0].shape[1:]), pixels, whole)
    for stale in set(shards[0].parent.glob("*.h5")) - kept:
        stale.unlink()
        stale.with_suffix(".sha256").unlink(missing_ok=True)
    log.info("%s: %d patches in %d shards", target, n, len(full))


def _write_index(
    target: Path,
    channels: Sequence[str],
    shape: tuple[int, int, int, int],
    pixels: Sequence[Pixels],
    checks: Checks,
) -> None:
    """Write what `landslip.data.store` reads: a view of the pixels, and what is said of each patch.

    Ids have one length: HDF5 keeps others where no checksum guards them, and may crash if damaged.
    """
    named = [(str(place.path.relative_to(target.parent)).encode(), *place[1:]) for place in pixels]
    longest = max(len(name) for name, *_ in named)
    with (
        atomic_path(target) as temporary,
        h5py.File(temporary, "w", libver=_LIBVER, locking=False) as file,
    ):
        _view(file, named, shape)
        dtype = [("file", f"S{longest}"), *((name, "<i8") for name in Pixels._fields[1:])]
        file["shard"] = np.array(named, dtype)
        # HDF5 converts no ASCII, which it takes numpy's bytes for, to UTF-8.
        file["id"] = checks.ids.astype(h5py.string_dtype(length=checks.ids.itemsize))
        file["sha256"], file["crc32"] = checks.sha256, checks.crc32
        file.attrs["format_version"] = FORMAT_VERSION
        file.attrs["shape"] = shape
        file.attrs["channels"] = list(channels)
        file.attrs["content_digest"] = content_digest(file, channels, shape)


def _view(
    file: h5py.File, pixels: Sequence[tuple[bytes, int, int, int]], shape: tuple[int, ...]
) -> None:
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
    for name, patches, *_ in pixels:
        if patches:
            part = (patches, *shape[1:])
            view.select_hyperslab((start, 0, 0, 0), part)
            settings.set_virtual(view, name, b"patches", h5py.h5s.create_simple(part))
            start += patches
    view.select_all()
    h5py.h5d.create(file.id, b"patches", h5py.h5t.IEEE_F32LE, view, settings)


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


def _convert_all(
    manifest: pd.DataFrame, how: _Conversion, target: Path, offset: int, workers: int
) -> Checks:
    """Convert in worker processes, saying how far they are."""
    n, depth = len(manifest), len(how.channels) + len(how.pairs)
    each = 4 * depth * how.size[0] * how.size[1]
    runs = how.reader.runs(manifest, _CHUNK) if n else []
    # loky's workers do not run the caller's script again, as spawn and forkserver would
    pool = Parallel(n_jobs=min(workers, len(runs)) or 1, backend="loky", return_as="generator")
    tasks = (
        delayed(_convert)(manifest.iloc[run], how, target, offset + run * each) for run in runs
    )
    ids = np.array([name.encode() for name in manifest["id"]], None if n else "S1")
    found = Checks(ids, np.empty((n, 32), np.uint8), np.empty((n, depth), np.uint32))
    done = 0
    for run, (sha256, crc32) in zip(runs, pool(tasks), strict=True):
        found.sha256[run], found.crc32[run] = sha256, crc32
        before, done = done, done + len(run)
        if done * 4 // n > before * 4 // n:
            log.info("converted %d of %d patches", done, n)
    return found


def _convert(
    manifest: pd.DataFrame, how: _Conversion, target: Path, places: NDArray[np.intp]
) -> tuple[NDArray[np.uint8], NDArray[np.uint32]]:
    """Put patches at their places, in bytes, in the shard; return SHA-256 and CRC-32s of each."""
    sha256, crc32, place = [], [], iter(places.tolist())
    with open(target, "rb+") as file:
        patches = _finite(manifest, how)
        while block := list(islice(patches, _BLOCK)):
            bands = np.stack(block)
            converted = np.ascontiguousarray(add_indices(bands, how.pairs), "<f4")
            for patch in converted:
                file.seek(next(place))
                file.write(patch.data)
                sha256.append(np.frombuffer(hashlib.sha256(patch).digest(), np.uint8))
                crc32.append([zlib_ng.crc32(image) for image in patch])
    return np.array(sha256), np.array(crc32, np.uint32)


def _finite(manifest: pd.DataFrame, how: _Conversion) -> Iterator[NDArray[np.float32]]:
    """Patches (channel, row, column), as the manifest knows them, finite."""
    found = read_unchanged(how.reader, manifest, how.size)
    for row, patch in zip(manifest.itertuples(), found, strict=True):
        bands = np.ascontiguousarray(as_float32(patch).transpose(2, 0, 1))
        codes = find_no_data(bands.reshape(len(bands), -1), how.no_data)
        if codes is not None:
            missing = (codes != DATA).reshape(bands.shape)
            _refuse(row, bands, missing, (codes == ZERO).reshape(bands.shape), how)
            fill_holes(bands, missing)
        yield bands


def _refuse(
    row: Any,
    bands: NDArray[np.float32],
    missing: NDArray[np.bool_],
    zero: NDArray[np.bool_],
    how: _Conversion,
) -> None:
    """Refuse pixels without data that are not to be filled."""
    refused = (missing & ~zero & (not how.fill)) | (zero & (not how.fill_zeros))
    if refused.any():
        channel, line, column = (int(i) for i in np.argwhere(refused)[0])
        key = "on_zeros" if zero[channel, line, column] else "on_nonfinite"
        raise InputError(
            f"{how.reader.name(row)}: channel {how.channels[channel]}, row {line}, column "
            f"{column} is {bands[channel, line, column]}, in float32, and no data; mend the "
            f"patch or set data.{key}: fill"
        )


def fill_holes(bands: NDArray[np.float32], missing: NDArray[np.bool_]) -> None:
    """Replace pixels without data in a patch (channel, row, column), in place.

    They become the median of the other pixels of their channel, 0 where there is none.
    """
    for channel, holes in zip(bands, missing, strict=True):
        if holes.any():
            # in float64: the mean of the two middle pixels must not overflow
            known = channel[~holes].astype(np.float64)
            channel[holes] = np.median(known) if known.size else 0
