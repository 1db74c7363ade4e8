"""A strict reader of UBJSON, as far as XGBoost writes it.

Nothing is believed that the bytes do not bear out: a length beyond the end, a key that comes twice
or what stands after the end is refused, and no more is ever allocated than the file is long.
"""

import struct
from typing import Any

import numpy as np

from landslip.models.tree_checks import NotTreesError

# Marker -> big-endian type, of a number alone and of typed arrays.
_NUMBERS = {b"i": ">i1", b"U": ">u1", b"I": ">i2", b"l": ">i4", b"L": ">i8", b"d": ">f4"}
_SIZES = {marker: np.dtype(kind).itemsize for marker, kind in _NUMBERS.items()}
_DEEPEST = 16


def read_ubjson(data: bytes) -> Any:
    """Dicts, lists, strings and numbers; arrays of one type as NumPy arrays.

    Raises
    ------
    NotTreesError
        `data` is not UBJSON, or uses what XGBoost does not: optional types of objects, arrays
        without a count, other numbers than of 1, 2, 4 or 8 bytes, or 4 with a point.
    """
    reader = _Reader(data)
    value = reader.value(0)
    if reader.offset != len(data):
        raise reader.error("the end")
    return value


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self.offset = 0

    def error(self, expected: str) -> NotTreesError:
        found = self._data[self.offset : self.offset + 8]
        return NotTreesError(f"byte {self.offset}: expected {expected}, got {found!r}")

    def value(self, depth: int) -> Any:
        if depth > _DEEPEST:
            raise self.error(f"at most {_DEEPEST} levels")
        marker = self._take(1)
        if marker == b"{":
            return self._object(depth)
        if marker == b"[":
            return self._array(depth)
        if marker == b"S":
            return self._string()
        if marker in _NUMBERS:
            return np.frombuffer(self._take(_SIZES[marker]), _NUMBERS[marker])[0].item()
        self.offset -= 1
        raise self.error("a value")

    def _object(self, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        while self._data[self.offset : self.offset + 1] != b"}":
            key = self._string()
            if key in found:
                raise self.error(f"{key!r} once")
            found[key] = self.value(depth + 1)
        self.offset += 1
        return found

    def _array(self, depth: int) -> Any:
        kind = b""
        if self._data[self.offset : self.offset + 1] == b"$":
            self.offset += 1
            kind = self._take(1)
            if kind not in _NUMBERS:
                raise self.error("a type of numbers")
        if self._take(1) != b"#":
            raise self.error("a count")
        count = self._length()
        if kind:
            return np.frombuffer(self._take(count * _SIZES[kind]), _NUMBERS[kind])
        if count > len(self._data) - self.offset:
            raise self.error(f"{count} values")
        return [self.value(depth + 1) for _ in range(count)]

    def _string(self) -> str:
        length = self._length()
        try:
            return self._take(length).decode("utf-8")
        except UnicodeDecodeError as error:
            raise self.error("UTF-8") from error

    def _length(self) -> int:
        raw = self._take(9)
        length = int(struct.unpack(">q", raw[1:])[0])
        if raw[:1] != b"L" or length < 0:
            self.offset -= 9
            raise self.error("a length of 8 bytes")
        return length

    def _take(self, size: int) -> bytes:
        end = self.offset + size
        if end > len(self._data):
            raise self.error(f"{size} bytes more")
        taken = self._data[self.offset : end]
        self.offset = end
        return taken
