"""One patch file: found without leaving its folder, read without unpickling, checked."""

import hashlib
import math
import os
from collections.abc import Iterable
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from landslip.data.foreign import HEAD, foreign_content
from landslip.io.files import InputError
from landslip.io.ordinary_files import open_ordinary

SUFFIX = ".npy"

PatchFault = Literal["unreadable", "pickled", "dtype", "layout"]

# Kinds of numpy's dtypes: signed and unsigned integers, floats of any width.
_NUMBERS = frozenset("iuf")

# Bytes that hold any header that numpy reads (10,000 characters), and bytes hashed at once.
_HEADER, _BLOCK = 1 << 14, 1 << 20

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
    sha256
        Of the file; empty where it cannot be read.
    """

    def __init__(self, path: Path, fault: PatchFault, reason: str, detail: str = "") -> None:
        super().__init__(
            f"patch {path.stem} ({path}): {reason}" + (f" ({detail})" if detail else "")
        )
        self.fault: PatchFault = fault
        self.reason = reason
        self.detail = detail
        self.sha256 = ""


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
    path
        A patch file.
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


def read_patch(
    path: Path, channels: int, shape: tuple[int, int] | None
) -> tuple[NDArray[Any], str]:
    """Read one patch in its own dtype, in one pass over its file.

    Parameters
    ----------
    path
        An .npy file.
    channels
        Length that the last axis must have.
    shape
        Rows and columns it must have; None: any.

    Returns
    -------
    patch : (row, column, channel)
        Integers or floats of any width and byte order; may hold NaN and infinity.
    sha256
        Of the file, made of the very bytes that the patch is.

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
            head = file.read(_HEADER)
            try:
                header = _parse_header(head, file, path)
                _check_header(path, header, channels, shape)
                _check_length(file, path, header)
                content = bytearray(header.length)
                content[: len(head)] = head[: header.length]
                rest = memoryview(content)[len(head) :]
                if file.readinto(rest) < len(rest):
                    raise PatchError(path, "unreadable", "truncated", "while it was read")
            except PatchError as error:
                error.sha256 = _digest_rest([head], file)
                raise
            sha256 = _digest_rest([content, head[header.length :]], file)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise PatchError(path, "unreadable", f"unreadable ({error.strerror or error})") from error
    pixels = np.frombuffer(content, header.dtype, offset=header.start)
    return pixels.reshape(header.size, order="F" if header.fortran else "C"), sha256


def read_same_patch(
    path: Path, channels: int, shape: tuple[int, int] | None, sha256: str
) -> NDArray[Any]:
    """Read a patch that was looked at before, as `read_patch` does.

    Raises
    ------
    InputError
        It is another file than the one of this SHA-256, or as `read_patch` has it.
    """
    try:
        patch, found = read_patch(path, channels, shape)
    except PatchError as error:
        if error.sha256 == sha256:
            raise
        found = error.sha256
    if found != sha256:
        raise InputError(changed_patch(path))
    return patch


def changed_patch(path: Path) -> str:
    """What to say of a file that is another than the one that was looked at."""
    return (
        f"patch {path.stem}: {path} has changed since it was surveyed; run again with "
        "--forcerun survey_patches"
    )


def as_float32(patch: NDArray[Any]) -> NDArray[np.float32]:
    """Round integers and floats of any width and shape to the nearest float32.

    What float32 cannot hold (beyond about 3.4e38) becomes infinite, and counts as such.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        return np.asarray(patch, dtype=np.float32)


def patch_shape(path: Path, channels: int) -> tuple[int, int] | None:
    """Rows and columns by a file's header.

    None if the file is no patch with so many channels, or is shorter than its header says.
    """
    try:
        with open_ordinary(path) as file:
            header = _parse_header(file.read(_HEADER), file, path)
            _check_header(path, header, channels, None)
            _check_length(file, path, header)
    except (PatchError, OSError):
        return None
    return header.size[0], header.size[1]


class _Header(NamedTuple):
    """What a file declares."""

    size: tuple[int, ...]
    fortran: bool
    dtype: np.dtype[Any]
    start: int
    """Of the pixels, in bytes."""

    @property
    def length(self) -> int:
        """Bytes up to the end of the pixels."""
        return self.start + math.prod(self.size) * self.dtype.itemsize


def _digest_rest(content: Iterable[bytes | bytearray], file: BinaryIO) -> str:
    """SHA-256 of what was read of a file and of what follows there."""
    digest = hashlib.sha256()
    for part in content:
        digest.update(part)
    while part := file.read(_BLOCK):
        digest.update(part)
    return digest.hexdigest()


def _check_length(file: BinaryIO, path: Path, header: _Header) -> None:
    """Refuse a file that ends before its pixels do."""
    missing = header.length - os.fstat(file.fileno()).st_size
    if missing > 0:
        raise PatchError(path, "unreadable", "truncated", f"{missing} bytes are missing")


def _parse_header(head: bytes, file: BinaryIO, path: Path) -> _Header:
    """What a file declares by its first bytes; of the file itself only its last one is read."""
    magic = np.lib.format.MAGIC_PREFIX
    start = head[: len(magic)]
    if not start:
        raise PatchError(path, "unreadable", "empty")
    if len(start) < len(magic) and magic.startswith(start):
        raise PatchError(path, "unreadable", "truncated", f"only {len(start)} bytes long")
    if start != magic:
        if what := foreign_content(head[:HEAD]):
            raise PatchError(path, "unreadable", f"no .npy file but {what}")
        # Pickles of protocol 2 and later start with 0x80; those of every protocol end with a dot.
        if start[:1] == b"\x80" or _last_byte(file) == b".":
            raise PatchError(
                path,
                "pickled",
                "a pickle, not an array; nothing was unpickled. Save it again with numpy.save",
            )
        raise PatchError(path, "unreadable", "no .npy file", f"starts with {start!r}")
    parsed = BytesIO(head)
    try:
        version = np.lib.format.read_magic(parsed)
        if version == (1, 0):
            size, fortran, dtype = np.lib.format.read_array_header_1_0(parsed)
        elif version == (2, 0):
            size, fortran, dtype = np.lib.format.read_array_header_2_0(parsed)
        else:
            raise ValueError(f"format version {version} is not 1.0 or 2.0")
    except Exception as error:  # numpy parses damaged bytes as Python, which fails in many ways
        first = str(error).split("\n")[0][:_QUOTED]
        raise PatchError(path, "unreadable", "damaged or truncated header", first) from error
    return _Header(size, fortran, dtype, parsed.tell())


def _last_byte(file: BinaryIO) -> bytes:
    """It is read without moving on."""
    here = file.tell()
    file.seek(-1, os.SEEK_END)
    last = file.read(1)
    file.seek(here)
    return last


def _check_header(
    path: Path, header: _Header, channels: int, shape: tuple[int, int] | None
) -> None:
    size, dtype = header.size, header.dtype
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
