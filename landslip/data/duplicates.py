"""Copies of patches: the same pixels as they are, turned or mirrored.

A fingerprint that no symmetry changes finds candidates without comparing every pair; comparing
pixels confirms them.
"""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

# Name -> what turns the first patch (row, column, channel) into the second.
_SYMMETRIES: dict[str, Callable[[NDArray[np.float32]], NDArray[np.float32]]] = {
    "identical": lambda patch: patch,
    "mirrored left to right": lambda patch: patch[:, ::-1],
    "mirrored top to bottom": lambda patch: patch[::-1],
    "turned by 180°": lambda patch: patch[::-1, ::-1],
    "turned by 90°": lambda patch: np.rot90(patch),
    "turned by 270°": lambda patch: np.rot90(patch, 3),
    "mirrored in the main diagonal": lambda patch: patch.transpose(1, 0, 2),
    "mirrored in the other diagonal": lambda patch: patch[::-1, ::-1].transpose(1, 0, 2),
}
SYMMETRIES = tuple(_SYMMETRIES)


def fingerprint(bands: NDArray[np.float32]) -> np.uint64:
    """Number that patches share if one is the other turned or mirrored, and hardly ever else.

    Parameters
    ----------
    bands : (channel, pixel)
        Pixels of a square patch, row by row.

    Notes
    -----
    Sums over pixels do not depend on their order. Of the bit patterns and their squares, as
    wrapping 64-bit integers: exact, where a sum of floats would depend on the order.
    """
    # -0 becomes 0 and all NaN become one, as they are equal when pixels are compared
    with np.errstate(invalid="ignore"):  # a signalling NaN is a NaN
        pixels = bands + np.float32(0)
    pixels[np.isnan(pixels)] = np.nan
    bits = pixels.view(np.uint32).astype(np.uint64)
    sums = np.concatenate([bits.sum(axis=1), (bits * bits).sum(axis=1)]).astype("<u8")
    digest = hashlib.blake2b(sums.tobytes(), digest_size=8).digest()
    return np.uint64(int.from_bytes(digest, "little"))


def symmetry_between(first: NDArray[np.float32], second: NDArray[np.float32]) -> str | None:
    """The symmetry that turns one patch (row, column, channel) into another, or None.

    Patches that are not square have four: those that swap rows and columns do not apply.
    """
    for name, turn in _SYMMETRIES.items():
        if np.array_equal(turn(first), second, equal_nan=True):
            return name
    return None


def find_copies(
    fingerprints: NDArray[np.uint64],
    digests: Sequence[str] | NDArray[np.bytes_],
    read: Callable[[int], NDArray[np.float32]],
) -> list[list[tuple[int, str]]]:
    """Groups of patches that are copies of one another.

    Parameters
    ----------
    fingerprints : (n,)
        Of the patches, by `fingerprint`.
    digests
        Of the n files; patches of one digest are identical without being read.
    read
        Gives a patch (row, column, channel) by its position; called for candidates only.

    Returns
    -------
    list of groups
        Each a list of (position, symmetry that turns the group's first patch into this one), in
        order of position; groups in the order of their first patch.
    """
    _, number, counts = np.unique(fingerprints, return_inverse=True, return_counts=True)
    candidates = defaultdict(list)
    for position in np.flatnonzero(counts[number] > 1).tolist():
        candidates[int(number[position])].append(position)
    groups = []
    for positions in candidates.values():
        groups += _confirm(positions, digests, read)
    return sorted(groups)


def _confirm(
    positions: Sequence[int],
    digests: Sequence[str] | NDArray[np.bytes_],
    read: Callable[[int], NDArray[np.float32]],
) -> list[list[tuple[int, str]]]:
    """Part patches of one fingerprint into groups of true copies."""
    firsts: list[NDArray[np.float32]] = []
    groups: list[list[tuple[int, str]]] = []
    known: dict[str | bytes, tuple[int, str]] = {}
    for position in positions:
        if digests[position] not in known:
            patch = read(position)
            for number, first in enumerate(firsts):
                symmetry = symmetry_between(first, patch)
                if symmetry is not None:
                    known[digests[position]] = (number, symmetry)
                    break
            else:
                known[digests[position]] = (len(groups), SYMMETRIES[0])
                firsts.append(patch)
                groups.append([])
        number, symmetry = known[digests[position]]
        groups[number].append((position, symmetry))
    return [group for group in groups if len(group) > 1]
