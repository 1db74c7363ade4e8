"""Mutants of a file's bytes: blind ones, and such that keep the form that readers look for."""

from collections.abc import Callable, Sequence
from random import Random
from typing import Literal

from fuzz.formats import FORMS

# Widths of binary numbers, and what breaks a reader that believes them.
_WIDTHS = (1, 2, 4, 8)
_NUMBERS = (
    0,
    1,
    -1,
    255,
    2**15 - 1,
    2**31 - 1,
    2**31,
    2**32 - 1,
    2**40,
    2**62,
    2**63 - 1,
    2**64 - 1,
)
_LETTERS = list(b"0123456789-.,;:'\"\\/{}[]<>&*#!%@ \t\r\n\0\x80\xc3\xff")


def mutant(original: bytes, form: str, random: Random, others: Sequence[bytes]) -> bytes:
    """A changed copy of a file.

    Parameters
    ----------
    original
        A file that its reader takes.
    form
        Key of FORMS, or anything else for changes of bytes alone.
    random
        Decides everything.
    others
        Files of the same kind, to splice with.
    """
    change = FORMS.get(form)
    if change is not None and random.random() < 0.6:
        return change(original, random)
    return change_bytes(original, random, random.choice(others))


def change_bytes(data: bytes, random: Random, other: bytes) -> bytes:
    """One to four changes that know nothing of the form."""
    changed = bytearray(data)
    for _ in range(random.choice((1, 1, 1, 2, 4))):
        random.choice(_WAYS)(changed, _place(changed, random), random, other)
    return bytes(changed)


def _place(data: bytearray, random: Random) -> int:
    """Anywhere; more often near the start and the end, where headers and footers stand."""
    size = max(len(data), 1)
    near = min(size, 400)
    return random.choice(
        (random.randrange(size), random.randrange(near), size - 1 - random.randrange(near))
    )


def _flip(data: bytearray, at: int, random: Random, other: bytes) -> None:
    if data:
        data[at] ^= 1 << random.randrange(8)


def _letter(data: bytearray, at: int, random: Random, other: bytes) -> None:
    data[at : at + 1] = bytes([random.choice(_LETTERS)])


def _number(data: bytearray, at: int, random: Random, other: bytes) -> None:
    width = random.choice(_WIDTHS)
    order: Literal["little", "big"] = random.choice(("little", "big"))
    at -= at % random.choice((1, width))
    value = random.choice(_NUMBERS) % 2 ** (8 * width)
    data[at : at + width] = value.to_bytes(width, order)


def _cut_end(data: bytearray, at: int, random: Random, other: bytes) -> None:
    del data[at:]


def _cut(data: bytearray, at: int, random: Random, other: bytes) -> None:
    del data[at : at + random.choice((1, 1, 4, 40, 400))]


def _insert(data: bytearray, at: int, random: Random, other: bytes) -> None:
    data[at:at] = random.choice(
        (random.randbytes(random.choice((1, 4, 40))), bytes(random.choice((1, 8, 512))))
    )


def _double(data: bytearray, at: int, random: Random, other: bytes) -> None:
    data[at:at] = data[at : at + random.choice((1, 8, 80, 800))]


def _move(data: bytearray, at: int, random: Random, other: bytes) -> None:
    size = random.choice((1, 8, 80))
    to = _place(data, random)
    data[to : to + size] = data[at : at + size]


def _splice(data: bytearray, at: int, random: Random, other: bytes) -> None:
    start = random.randrange(max(len(other), 1))
    data[at:] = other[start:]


def _empty(data: bytearray, at: int, random: Random, other: bytes) -> None:
    size = random.choice((4, 64, 1024))
    data[at : at + size] = bytes(len(data[at : at + size]))


_WAYS: tuple[Callable[[bytearray, int, Random, bytes], None], ...] = (
    _flip, _flip, _letter, _number, _number, _number, _cut_end, _cut, _insert, _double, _move,
    _splice, _empty,
)  # fmt: skip
