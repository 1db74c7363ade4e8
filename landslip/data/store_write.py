"""The store of patches, built from the .npy files of one split in worker processes."""

import hashlib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from numpy.typing import NDArray
from zlib_ng import zlib_ng

from landslip.data.channels import add_indices
from landslip.data.patches import as_float32, read_patch
from landslip.data.store import FORMAT_VERSION, SHA256_BYTES, content_digest
from landslip.files import InputError, atomic_path, file_digest, write_text

log = logging.getLogger(__name__)

# Patches that a worker converts at once.
_BLOCK = 32
# A fixed file format, so that another release of HDF5 writes what this one reads; its metadata
# carries checksums.
_LIBVER = ("v110", "v110")


@dataclass(frozen=True)
class _Shard:
    """What a worker needs to write one shard; plain, as it travels to another process."""

    path: Path
    patches: Sequence[Path]
    ids: Sequence[str]
    sha256: Sequence[str]
    shape: tuple[int, int]
    channels: Sequence[str]
    pairs: Sequence[tuple[int, int]]
    fill: bool


@dataclass(frozen=True)
class _Checks:
    """What later reads of a shard are compared with: sha256 (n, 32) and crc32 (n, channel)."""

    sha256: NDArray[np.uint8]
    crc32: NDArray[np.uint32]


def write_store(
    manifest: pd.DataFrame,
    *,
    channels: Sequence[str],
    indices: Mapping[str, tuple[str, str]],
    on_nonfinite: str,
    patches_per_shard: int,
    workers: int,
    target: Path,
    shards: Path,
    digest: Path,
) -> None:
    """Build the store of one split.

    The same patches give the same bytes, whatever `workers`; and the same content digest,
    whatever `patches_per_shard`. Shards come first, then the index, then the digest: a store cut
    short has no digest file.

    Parameters
    ----------
    manifest
        Rows of the split with status ok: id, path, sha256.
    channels
        Names of the patches' channels, in the order of their last axis.
    indices
        Name -> the channels (a, b) of (a - b) / (a + b); appended in this order.
    on_nonfinite
        "fill": NaN and infinity become the median of the finite pixels of their channel and
        patch (0 where there is none); "refuse".
    patches_per_shard
        Patches in one file. A worker holds at most 32 at once.
    workers
        Processes.
    target, shards, digest
        The index file, the folder of shards beside it, and the file for the content digest.

    Raises
    ------
    InputError
        A patch has changed since the manifest was made, holds NaN or infinity, or cannot be
        read; or there is no patch.
    """
    if manifest.empty:
        raise InputError(f"{target}: there is no usable patch to store; see the audit")
    paths = [Path(path) for path in manifest["path"]]
    ids = [str(name) for name in manifest["id"]]
    sha256 = [str(value) for value in manifest["sha256"]]
    bands = list(channels)
    pairs = [(bands.index(first), bands.index(second)) for first, second in indices.values()]
    rows, columns = read_patch(paths[0], len(bands), None).shape[:2]
    shards.mkdir(parents=True, exist_ok=True)
    parts = [
        _Shard(
            path=shards / f"shard{number:05d}.h5",
            patches=paths[start : start + patches_per_shard],
            ids=ids[start : start + patches_per_shard],
            sha256=sha256[start : start + patches_per_shard],
            shape=(rows, columns),
            channels=bands,
            pairs=pairs,
            fill=on_nonfinite == "fill",
        )
        for number, start in enumerate(range(0, len(ids), patches_per_shard))
    ]
    for stale in set(shards.glob("*.h5")) - {part.path for part in parts}:
        stale.unlink()
    # loky's workers do not run the caller's script again, as spawn and forkserver would
    pool = Parallel(n_jobs=min(workers, len(parts)), backend="loky", return_as="generator")
    checks = []
    done = 0
    for found in pool(delayed(_write_shard)(part) for part in parts):
        checks.append(found)
        done += len(found.sha256)
        log.info("%s: %d of %d patches", target, done, len(ids))
    content = _write_index(target, parts, [*bands, *indices], checks)
    write_text(digest, content + "\n")


def _shape(parts: Sequence[_Shard]) -> tuple[int, int, int, int]:
    """(n, channel, row, column) of shards together."""
    depth = len(parts[0].channels) + len(parts[0].pairs)
    return (sum(len(part.ids) for part in parts), depth, *parts[0].shape)


def _write_shard(part: _Shard) -> _Checks:
    """Write one shard; return the digests of what it holds."""
    shape = _shape([part])
    checks = _Checks(np.empty((shape[0], SHA256_BYTES), np.uint8), np.empty(shape[:2], np.uint32))
    with atomic_path(part.path) as temporary, h5py.File(temporary, "w", libver=_LIBVER) as file:
        # contiguous and raw: reading is copying
        patches = file.create_dataset("patches", shape, "<f4")
        for start in range(0, shape[0], _BLOCK):
            stop = min(start + _BLOCK, shape[0])
            bands = np.stack([_read(part, i) for i in range(start, stop)])
            block = add_indices(bands, part.pairs)
            patches[start:stop] = block
            for i, patch in enumerate(block, start):
                checks.sha256[i] = np.frombuffer(hashlib.sha256(patch).digest(), np.uint8)
                checks.crc32[i] = [zlib_ng.crc32(image) for image in patch]
    return checks


def _read(part: _Shard, number: int) -> NDArray[np.float32]:
    """One patch (channel, row, column), as the manifest knows it, finite."""
    path, patch_id = part.patches[number], part.ids[number]
    if file_digest(path) != part.sha256[number]:
        raise InputError(
            f"patch {patch_id}: {path} has changed since the manifest was made; run again with "
            "--forcerun build_manifest"
        )
    patch = as_float32(read_patch(path, len(part.channels), part.shape))
    bands = np.ascontiguousarray(patch.transpose(2, 0, 1))
    finite = np.isfinite(bands)
    if not finite.all():
        if not part.fill:
            channel, row, column = (int(i) for i in np.argwhere(~finite)[0])
            raise InputError(
                f"patch {patch_id} ({path}): channel {part.channels[channel]}, row {row}, column "
                f"{column} is {bands[channel, row, column]}, in float32; mend the patch or set "
                "data.on_nonfinite: fill"
            )
        fill_nonfinite(bands)
    return bands


def fill_nonfinite(bands: NDArray[np.float32]) -> None:
    """Replace NaN and infinity in a patch (channel, row, column), in place.

    They become the median of the finite pixels of their channel, 0 where there is none.
    """
    for channel in bands:
        finite = np.isfinite(channel)
        if not finite.all():
            # in float64: the mean of the two middle pixels must not overflow
            known = channel[finite].astype(np.float64)
            channel[~finite] = np.median(known) if known.size else 0


def _write_index(
    target: Path,
    parts: Sequence[_Shard],
    channels: Sequence[str],
    checks: Sequence[_Checks],
) -> str:
    """Write the file that joins the shards; return the content digest."""
    shape = _shape(parts)
    ids = [name for part in parts for name in part.ids]
    sha256 = np.concatenate([check.sha256 for check in checks])
    content = content_digest(ids, channels, shape, sha256)
    with atomic_path(target) as temporary, h5py.File(temporary, "w", libver=_LIBVER) as file:
        _join(file, parts, target.parent)
        file.create_dataset("id", data=ids, dtype=h5py.string_dtype())
        file.create_dataset("sha256", data=sha256)
        file.create_dataset("crc32", data=np.concatenate([check.crc32 for check in checks]))
        file.attrs["format_version"] = FORMAT_VERSION
        file.attrs["channels"] = list(channels)
        file.attrs["content_digest"] = content
    return content


def _join(file: h5py.File, parts: Sequence[_Shard], folder: Path) -> None:
    """Make `patches` a view of the shards.

    h5py's own way (`create_virtual_dataset`) stamps the time on it: the same content would give
    other bytes each second.
    """
    shape = _shape(parts)
    view = h5py.h5s.create_simple(shape)
    settings = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    settings.set_obj_track_times(False)
    # where a shard is missing, other programs read NaN, not a plausible zero
    settings.set_fill_value(np.array(np.nan, "<f4"))
    start = 0
    for part in parts:
        inside = _shape([part])
        view.select_hyperslab((start, 0, 0, 0), inside)
        name = part.path.relative_to(folder).as_posix().encode()
        settings.set_virtual(view, name, b"patches", h5py.h5s.create_simple(inside))
        start += len(part.ids)
    view.select_all()
    h5py.h5d.create(file.id, b"patches", h5py.h5t.IEEE_F32LE, view, settings)
