"""One patch file: found without leaving its folder, read without unpickling, checked."""

import math
import os
import stat
from pathlib import Path
from typing import Any, BinaryIO, Literal

import numpy as np
from numpy.typing import NDArray

from landslip.files import InputError

PatchFault = Literal["unreadable", "pickled", "dtype", "layout"]

# Kinds of numpy's dtypes: signed and unsigned integers, floats of any width.
_NUMBERS = frozenset("iuf")

# Of numpy's complaint about a damaged header, which quotes all of it.
_QUOTED = 120


class PatchError(InputError):
    """A patch that cannot be used.

    Attributes
    ----------
    fault
        "unreadable" (truncated, damaged or no .npy file), "pickled" (Python objects), "dtype" (no
        integers or floats) or "layout" (wrong shape).
    reason
        What is wrong, without the name of the file.
    """

    def __init__(self, path: Path, fault: PatchFault, reason: str) -> None:
        super().__init__(f"patch {path.stem} ({path}): {reason}")
        self.fault: PatchFault = fault
        self.reason = reason


def patch_path(folder: Path, patch_id: str) -> Path:
    """Path of a patch's file, which need not exist; nothing is opened.

    Raises
    ------
    InputError
        The id is no plain file name (path separator, "..", NUL, too long), or its file is a link
        that leaves `folder`.
    """
    if not patch_id or patch_id == "." or any(mark in patch_id for mark in ("/", "\\", "..", "\0")):
        raise InputError(f"id {patch_id!r} is not a plain file name; it could leave {folder}")
    path = folder / f"{patch_id}.npy"
    try:
        leaves = path.is_symlink() and not path.resolve().is_relative_to(folder.resolve())
    except (OSError, RuntimeError) as error:  # too long a name, links in a circle
        raise InputError(f"id {patch_id!r} is not a usable file name ({error})") from error
    if leaves:
        raise InputError(
            f"id {patch_id!r}: {path} is a link out of its folder, to {path.resolve()}; "
            "put the file itself there, or name its folder in the config"
        )
    return path


def read_patch(path: Path, channels: int, shape: tuple[int, int] | None) -> NDArray[Any]:
    """Read one patch in its own dtype.

    Parameters
    ----------
    channels
        Length that the last axis must have.
    shape
        Rows and columns it must have; None: any.

    Returns
    -------
    (row, column, channel)
        Integers or floats of any width and byte order; may hold NaN and infinity.

    Raises
    ------
    PatchError
        See its attribute `fault`. Shape and dtype are judged by the file's header, before pixels
        are read; nothing is ever unpickled.
    FileNotFoundError
        There is no such file.
    """
    try:
        with open(path, "rb", opener=_open_file) as file:
            size, dtype = _read_header(file, path)
            _check_header(path, size, dtype, channels, shape)
            missing = file.tell() + math.prod(size) * dtype.itemsize - _length(file)
            if missing > 0:
                raise PatchError(path, "unreadable", f"truncated: {missing} bytes are missing")
            file.seek(0)
            patch: NDArray[Any] = np.load(file, mmap_mode=None, allow_pickle=False)
            return patch
    except FileNotFoundError:
        raise
    except OSError as error:
        raise PatchError(path, "unreadable", f"unreadable ({error.strerror or error})") from error


def as_float32(patch: NDArray[Any]) -> NDArray[np.float32]:
    """Integers and floats of any width, rounded to the nearest float32.

    What float32 cannot hold (beyond about 3.4e38) becomes infinite, and counts as such.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        return np.asarray(patch, dtype=np.float32)


def patch_shape(path: Path, channels: int) -> tuple[int, int] | None:
    """Rows and columns by a file's header; None if it is no patch with so many channels."""
    try:
        with open(path, "rb", opener=_open_file) as file:
            size, dtype = _read_header(file, path)
            _check_header(path, size, dtype, channels, None)
    except (PatchError, OSError):
        return None
    return size[0], size[1]


def _open_file(path: str, flags: int) -> int:
    """Open what is an ordinary file; a named pipe would wait for ever."""
    descriptor = os.open(path, flags | getattr(os, "O_NONBLOCK", 0))
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(0, "no ordinary file")
    return descriptor


def _length(file: BinaryIO) -> int:
    return os.fstat(file.fileno()).st_size


def _read_header(file: BinaryIO, path: Path) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Shape and dtype that the file declares; it is left at its first pixel."""
    magic = np.lib.format.MAGIC_PREFIX
    start = file.read(len(magic))
    if len(start) < len(magic) and magic.startswith(start):
        raise PatchError(path, "unreadable", f"truncated: only {len(start)} bytes long")
    if start != magic:
        file.seek(-1, os.SEEK_END)
        # Pickles of protocol 2 and later start with 0x80; those of every protocol end with a dot.
        if start[:1] == b"\x80" or file.read(1) == b".":
            raise PatchError(
                path,
                "pickled",
                "a pickle, not an array; nothing was unpickled. Save it again with numpy.save",
            )
        raise PatchError(path, "unreadable", f"no .npy file: starts with {start!r}")
    file.seek(0)
    try:
        version = np.lib.format.read_magic(file)
        if version == (1, 0):
            size, _, dtype = np.lib.format.read_array_header_1_0(file)
        elif version == (2, 0):
            size, _, dtype = np.lib.format.read_array_header_2_0(file)
        else:
            raise ValueError(f"format version {version} is not 1.0 or 2.0")
    except Exception as error:  # numpy parses damaged bytes as Python, which fails in many ways
        first = str(error).split("\n")[0][:_QUOTED]
        raise PatchError(path, "unreadable", f"damaged or truncated header ({first})") from error
    return size, dtype


def _check_header(
    path: Path,
    size: tuple[int, ...],
    dtype: np.dtype[Any],
    channels: int,
    shape: tuple[int, int] | None,
) -> None:
    if dtype.hasobject:
        raise PatchError(
            path,
            "pickled",
            f"holds Python objects (dtype {dtype}); nothing was unpickled. "
            "Save it again as an array of numbers",
        )
    if dtype.kind not in _NUMBERS:
        raise PatchError(path, "dtype", f"dtype {dtype}; expected integers or floats")
    rows, columns = shape or ("row", "column")
    expected = f"({rows}, {columns}, {channels})"
    if len(size) != 3 or size[2] != channels or (shape and size[:2] != shape) or min(size) < 1:
        hint = ""
        if len(size) == 3 and size[0] == channels and size[2] != channels:
            hint = "; the channels come first: save patch.transpose(1, 2, 0)"
        raise PatchError(path, "layout", f"shape expected {expected}, got {size}{hint}")
