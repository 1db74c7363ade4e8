"""The bytes of a table, packed by gzip or not, a block at a time and never without end."""

import zlib
from collections.abc import Iterator
from pathlib import Path

from landslip.data.foreign import HEAD, foreign_content
from landslip.io.files import InputError
from landslip.io.ordinary_files import open_ordinary

_BLOCK = 1 << 20
# No table of patches is larger, nor packed tighter: numbered rows are packed about ten times.
_MOST = 1 << 30
_TIGHTEST, _ALWAYS = 200, 1 << 24


def table_blocks(path: Path) -> Iterator[bytes]:
    """Read a table's bytes; gzip is told by the content, not by the name.

    Raises
    ------
    InputError
        The file cannot be read, is no ordinary file, is damaged, is of another format, or is
        larger than any table can be.
    """
    try:
        with open_ordinary(path) as file:
            start = file.read(HEAD)
            packed = start.startswith(b"\x1f\x8b")
            file.seek(0)
            raw = iter(lambda: file.read(_BLOCK), b"")
            yield from _checked(path, _unpacked(path, raw) if packed else raw)
    except OSError as error:
        raise InputError(f"cannot read {path} ({error.strerror or error})") from error


def _checked(path: Path, blocks: Iterator[bytes]) -> Iterator[bytes]:
    total = 0
    for block in blocks:
        if not total and (what := foreign_content(block[:HEAD])):
            raise InputError(
                f"{path} is no CSV but {what}"
                + ("" if ";" in what else "; save the table as CSV UTF-8 and name that")
            )
        total += len(block)
        if total > _MOST:
            raise InputError(f"{path} holds more than {_MOST:,} bytes, as no table of patches does")
        yield block


def _unpacked(path: Path, raw: Iterator[bytes]) -> Iterator[bytes]:
    """What gzip packed, one or several members; in blocks, however much a byte stands for."""
    taken = given = 0
    unpacker = zlib.decompressobj(wbits=31)
    try:
        for packed in raw:
            taken += len(packed)
            rest = packed
            while rest:
                if unpacker.eof:
                    rest = rest.lstrip(b"\0")  # padding
                    if not rest:
                        break
                    unpacker = zlib.decompressobj(wbits=31)
                block = unpacker.decompress(rest, _BLOCK)
                given += len(block)
                if given > max(_ALWAYS, _TIGHTEST * taken):
                    raise InputError(
                        f"{path} is {taken:,} bytes of gzip for more than {given:,}, as no table "
                        "of patches is packed; unpack it and look"
                    )
                if block:
                    yield block
                rest = unpacker.unused_data if unpacker.eof else unpacker.unconsumed_tail
    except zlib.error as error:
        raise InputError(f"{path} is damaged gzip ({error}); get it again") from error
    if not unpacker.eof:
        raise InputError(f"{path} is gzip that was cut short; get it again")
