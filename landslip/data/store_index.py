"""What a store says of its patches: the same in a shard and in the index that joins the shards."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from landslip.data.shards import damaged
from landslip.files import InputError

FORMAT_VERSION = 2
SHA256_BYTES = 32

# Rows of the digest table that are in memory at once.
_DIGEST_ROWS = 4096


@dataclass(frozen=True)
class Index:
    """Names, size and digest of the patches in one file."""

    path: Path
    ids: list[str]
    channels: list[str]
    shape: tuple[int, int, int, int]
    """(n, channel, row, column)"""
    digest: str
    shards: list[tuple[Path, int]]
    """Files that hold the patches, and how many; of a shard, itself."""


def write_index(
    file: h5py.File,
    *,
    ids: Sequence[str],
    channels: Sequence[str],
    shape: tuple[int, int, int, int],
    sha256: NDArray[np.uint8],
    crc32: NDArray[np.uint32],
    shards: Sequence[tuple[str, int]] = (),
) -> str:
    """Write it beside the file's `patches`; return the content digest.

    Parameters
    ----------
    shape
        (n, channel, row, column)
    sha256 : (n, 32)
        Of each patch's bytes, channel after channel, float32.
    crc32 : (n, channel)
        Of each channel's bytes.
    shards
        Files that hold the patches, named from this file's folder, and how many; none: this file.
    """
    digest = content_digest(ids, channels, shape, sha256)
    _write_texts(file, "id", ids)
    if shards:
        _write_texts(file, "shard", [name for name, _ in shards])
        file.create_dataset("shard_patches", data=np.array([n for _, n in shards], np.int64))
    file.create_dataset("sha256", data=sha256)
    file.create_dataset("crc32", data=crc32)
    file.attrs["format_version"] = FORMAT_VERSION
    file.attrs["shape"] = shape
    file.attrs["channels"] = list(channels)
    file.attrs["content_digest"] = digest
    return digest


def read_index(path: Path, file: h5py.File) -> Index:
    """Read it and compare it with itself and with this program.

    Raises
    ------
    InputError
        It is damaged, or of another format version.
    """
    try:
        version = int(file.attrs["format_version"])
        if version != FORMAT_VERSION:
            raise InputError(
                f"{path} has format version {version}, this program reads {FORMAT_VERSION}; "
                "delete it and run again to build it anew"
            )
        stated = str(file.attrs["content_digest"])
        channels = [str(name) for name in file.attrs["channels"]]
        ids = _read_texts(file, "id")
        n, depth, rows, columns = (int(length) for length in file.attrs["shape"])
        found = content_digest(ids, channels, (n, depth, rows, columns), file["sha256"])
        fits = (n, depth) == (len(ids), len(channels)) == file["crc32"].shape
        shards = [(path, n)]
        # Not from the view itself: HDF5 may crash on a damaged one.
        if "shard" in file:
            paths = [path.parent / name for name in _read_texts(file, "shard")]
            shards = list(zip(paths, file["shard_patches"][:].tolist(), strict=True))
        fits = fits and sum(count for _, count in shards) == n
    except InputError:
        raise
    except (KeyError, OSError, RuntimeError, TypeError, ValueError) as error:
        raise damaged(path, str(error)) from error
    if stated != found or not fits:
        raise damaged(path, "its content digest differs from its content")
    return Index(path, ids, channels, (n, depth, rows, columns), found, shards)


def _write_texts(file: h5py.File, name: str, texts: Sequence[str]) -> None:
    """Of one length: HDF5 keeps others where no checksum guards them, and may crash if damaged."""
    encoded = [text.encode() for text in texts]
    dtype = h5py.string_dtype(length=max(map(len, encoded), default=1) or 1)
    file.create_dataset(name, data=np.array(encoded, dtype), dtype=dtype)


def _read_texts(file: h5py.File, name: str) -> list[str]:
    return [str(text) for text in file[name].asstr()[:]]


def content_digest(
    ids: Sequence[str],
    channels: Sequence[str],
    shape: Sequence[int],
    sha256: NDArray[np.uint8] | h5py.Dataset,
) -> str:
    """SHA-256 of all that a store holds, however it is cut into shards.

    Parameters
    ----------
    sha256 : (n, 32)
        Of each patch's bytes, channel after channel, float32.
    """
    total = hashlib.sha256(f"landslip store {FORMAT_VERSION}\n".encode())
    for names in (channels, [str(length) for length in shape], ids):
        # NUL stands in no name and no id, so where one ends and the next begins counts
        total.update(f"{len(names)}\0".encode() + "\0".join(names).encode() + b"\0")
    for start in range(0, len(ids), _DIGEST_ROWS):
        total.update(np.ascontiguousarray(sha256[start : start + _DIGEST_ROWS]).tobytes())
    return total.hexdigest()
