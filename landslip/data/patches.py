"""One patch file: found without leaving its folder, read without unpickling, checked."""

import math
import os
from pathlib import Path
from typing import Any, BinaryIO, Literal

import numpy as np
from numpy.typing import NDArray

from landslip.data.foreign import HEAD, foreign_content
from landslip.files import InputError
from landslip.ordinary_files import open_ordinary

SUFFIX = ".npy"

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
        What is wrong, in words that other patches share for which the same is wrong.
    detail
        What holds for this patch alone; may be empty.
    """

    def __init__(self, path: Path, fault: PatchFault, reason: str, detail: str = "") -> None:
        super().__init__(
            f"patch {path.stem} ({path}): {reason}" + (f" ({detail})" if detail else "")
        )
        self.fault: PatchFault = fault
        self.reason = reason
        self.detail = detail


def check_id(patch_id: str) -> None:
    """Refuse an id that is no plain file name.

    Raises
    ------
    InputError
        It holds a path separator, "..", NUL, or is empty; the message is for many ids.
    """
    if not patch_id or patch_id == "." or any(mark in patch_id for mark in ("/", "\\", "..", "\0")):
        raise InputError("not a plain file name, which could leave the patch folder")


def check_link(path: Path, links_into: Path | None = None) -> None:
    """Refuse a patch that is a link out of its folder; nothing is opened.

    Parameters
    ----------
    links_into
        A further folder that links may lead into, at any depth.

    Raises
    ------
    InputError
        See above, or the file's name is too long, or links go in a circle; the message is for
        many patches.
    """
    try:
        if not path.is_symlink():
            return
        target = path.resolve(strict=False)
        folders = [path.parent.resolve(), *([links_into.resolve()] if links_into else [])]
    except (OSError, RuntimeError) as error:  # too long a name, links in a circle
        reason = getattr(error, "strerror", None) or "links go in a circle"
        raise InputError(f"not a usable file name ({reason})") from error
    if not any(target.is_relative_to(folder) for folder in folders):
        allowed = f" or {links_into}" if links_into else ""
        raise InputError(
            f"a link that leads out of the patch folder{allowed}; put the file itself there, or "
            "name the folder that links may lead into in data.links_into"
        )


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
        with open_ordinary(path) as file:
            size, dtype = _read_header(file, path)
            _check_header(path, size, dtype, channels, shape)
            _check_length(file, path, size, dtype)
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
    """Rows and columns by a file's header; None if it is no patch with so many channels, or if the
    file is shorter than they say."""
    try:
        with open_ordinary(path) as file:
            size, dtype = _read_header(file, path)
            _check_header(path, size, dtype, channels, None)
            _check_length(file, path, size, dtype)
    except (PatchError, OSError):
        return None
    return size[0], size[1]


def _check_length(file: BinaryIO, path: Path, size: tuple[int, ...], dtype: np.dtype[Any]) -> None:
    """Refuse a file that ends before its pixels do; it stands at the first of them."""
    length = os.fstat(file.fileno()).st_size
    missing = file.tell() + math.prod(size) * dtype.itemsize - length
    if missing > 0:
        raise PatchError(path, "unreadable", "truncated", f"{missing} bytes are missing")


def _read_header(file: BinaryIO, path: Path) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Shape and dtype that the file declares; it is left at its first pixel."""
    magic = np.lib.format.MAGIC_PREFIX
    head = file.read(HEAD)
    start = head[: len(magic)]
    if not start:
        raise PatchError(path, "unreadable", "empty")
    if len(start) < len(magic) and magic.startswith(start):
        raise PatchError(path, "unreadable", "truncated", f"only {len(start)} bytes long")
    if start != magic:
        if what := foreign_content(head):
            raise PatchError(path, "unreadable", f"no .npy file but {what}")
        file.seek(-1, os.SEEK_END)
        # Pickles of protocol 2 and later start with 0x80; those of every protocol end with a dot.
        if start[:1] == b"\x80" or file.read(1) == b".":
            raise PatchError(
                path,
                "pickled",
                "a pickle, not an array; nothing was unpickled. Save it again with numpy.save",
            )
        raise PatchError(path, "unreadable", "no .npy file", f"starts with {start!r}")
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
        raise PatchError(path, "unreadable", "damaged or truncated header", first) from error
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
