"""What a store says of its patches: the same in a shard's index and in the one that joins them.

Nothing here holds what it says of all patches: a store may have more than memory has room for.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import h5py
import numpy as np
from numpy.typing import NDArray

from landslip.data.shards import Pixels, damaged
from landslip.files import InputError

FORMAT_VERSION = 3
SHA256_BYTES = 32

# Patches whose names or digests are in memory at once.
_ROWS = 4096


@dataclass(frozen=True)
class Index:
    """Size and digest of the patches of one store, and where they are."""

    path: Path
    channels: list[str]
    shape: tuple[int, int, int, int]
    """(n, channel, row, column)"""
    digest: str
    shards: list[Pixels]


class Rows(NamedTuple):
    """What is said of some patches, one after another."""

    ids: NDArray[np.bytes_]
    """UTF-8."""
    sha256: NDArray[np.uint8]
    """(n, 32), of each patch's bytes, channel after channel, float32."""
    crc32: NDArray[np.uint32]
    """(n, channel), of each channel's bytes."""


def write_index(
    file: h5py.File,
    *,
    rows: Iterable[Rows],
    channels: Sequence[str],
    shape: tuple[int, int, int, int],
    id_bytes: int,
    shards: Sequence[Pixels],
) -> str:
    """Write it beside the file's `patches`; return the content digest.

    Parameters
    ----------
    rows
        Of all patches, in order, in parts of any size.
    shape
        (n, channel, row, column)
    id_bytes
        Of the longest id.
    shards
        Where the patches lie, in files that are named from this one's folder.
    """
    n = shape[0]
    _write_texts(file, "shard", [shard.path.as_posix() for shard in shards])
    places = np.array([shard[1:] for shard in shards], np.int64)
    file.create_dataset("shard_place", data=places)  # patches, offset, size
    ids = file.create_dataset("id", n, h5py.string_dtype(length=id_bytes))
    sha256 = file.create_dataset("sha256", (n, SHA256_BYTES), np.uint8)
    crc32 = file.create_dataset("crc32", shape[:2], np.uint32)
    start = 0
    for part in rows:
        here = slice(start, start + len(part.ids))
        # HDF5 converts no ASCII, which it takes numpy's bytes for, to UTF-8.
        ids[here] = part.ids.astype(ids.dtype)
        sha256[here], crc32[here] = part.sha256, part.crc32
        start = here.stop
    file.attrs["format_version"] = FORMAT_VERSION
    file.attrs["shape"] = shape
    file.attrs["channels"] = list(channels)
    digest = content_digest(file, channels, shape)
    file.attrs["content_digest"] = digest
    return digest


def read_index(path: Path, file: h5py.File) -> Index:
    """Read it and compare it with the file's content and with this program.

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
        n, depth, rows, columns = (int(length) for length in file.attrs["shape"])
        found = content_digest(file, channels, (n, depth, rows, columns))
        fits = (n, depth) == (len(file["id"]), len(channels)) == file["crc32"].shape
        # Not from the view itself: HDF5 may crash on a damaged one.
        shards = [
            Pixels(path.parent / str(name), *place)
            for name, place in zip(
                file["shard"].asstr()[:], file["shard_place"][:].tolist(), strict=True
            )
        ]
        fits = fits and sum(shard.patches for shard in shards) == n
    except InputError:
        raise
    except (KeyError, OSError, RuntimeError, TypeError, ValueError) as error:
        raise damaged(path, str(error)) from error
    if stated != found or not fits:
        raise damaged(path, "its content digest differs from its content")
    return Index(path, channels, (n, depth, rows, columns), found, shards)


def read_names(file: h5py.File, rows: slice) -> list[str]:
    """Ids of some patches."""
    return [str(name) for name in file["id"].asstr()[rows]]


def read_rows(file: h5py.File) -> Iterator[Rows]:
    """All that is said of the patches, part by part."""
    for here in _parts(len(file["id"])):
        yield Rows(file["id"][here], file["sha256"][here], file["crc32"][here])


def id_bytes(file: h5py.File) -> int:
    """Bytes that the longest id takes."""
    return int(file["id"].dtype.itemsize)


def as_ids(names: Sequence[str]) -> NDArray[np.bytes_]:
    """Ids as they are stored.

    Of one length: HDF5 keeps others where no checksum guards them, and may crash if damaged.
    """
    encoded = [name.encode() for name in names]
    return np.array(encoded, f"S{max(map(len, encoded), default=1) or 1}")


def _write_texts(file: h5py.File, name: str, texts: Sequence[str]) -> None:
    stored = as_ids(texts)
    dtype = h5py.string_dtype(length=stored.itemsize)
    file.create_dataset(name, data=stored.astype(dtype), dtype=dtype)


def content_digest(
    file: h5py.File, channels: Sequence[str], shape: tuple[int, int, int, int]
) -> str:
    """SHA-256 of all that a store holds, however it is cut into shards."""
    total = hashlib.sha256(f"landslip store {FORMAT_VERSION}\n".encode())
    for names in (channels, [str(length) for length in shape]):
        # NUL stands in no name and no id, so where one ends and the next begins counts
        total.update(f"{len(names)}\0".encode() + "\0".join(names).encode() + b"\0")
    total.update(f"{len(file['id'])}\0".encode())
    for here in _parts(len(file["id"])):
        total.update(b"\0".join(file["id"][here].tolist()) + b"\0")
    for here in _parts(len(file["sha256"])):
        total.update(np.ascontiguousarray(file["sha256"][here]).tobytes())
    return total.hexdigest()


def _parts(n: int) -> Iterator[slice]:
    return (slice(start, min(start + _ROWS, n)) for start in range(0, n, _ROWS))
