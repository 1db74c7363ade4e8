"""Patches that cannot be what a bundle reads: pixels of another unit, or channels exchanged."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from landslip.bundle.order import find_exchanged, training_range
from landslip.bundle.recipe import Recipe
from landslip.bundle.record import BundleRecord
from landslip.data.sampling import Sampled
from landslip.data.units import (
    ENOUGH,
    FITS,
    UnitCheck,
    WrongPatches,
    check_channels,
    judge_patches,
)
from landslip.io.files import InputError

# One channel of a part of all patches, such as a tile of a map, is of another unit where it is so
# many times beyond the interval that a whole data set's medians lie in, and the training has none.
_BEYOND = 10
# Where so many are wrong, what is said of their channels says it of them.
_NEARLY_ALL = 0.9


@dataclass(frozen=True)
class Misread:
    """What patches hold that the bundle would take for something else."""

    sentence: str
    """To stand after the patches and a colon, if there are such."""
    rows: list[int] = field(default_factory=list)
    """Patches that tell it, each alone; none: all together do."""


def find_misread(
    sample: NDArray[np.float32],
    judged: Mapping[str, NDArray[np.uint8]],
    recipe: Recipe,
    record: BundleRecord,
    *,
    whole: bool,
) -> list[Misread]:
    """Find what is wrong with the units and the order of channels; in memory as in files.

    Parameters
    ----------
    sample : (n, pixel, channel)
        As of `landslip.data.sampling.Sampled`.
    judged
        As `landslip.data.units.judge_patches` gives it, of the same n patches.
    recipe, record
        Of the bundle.
    whole
        Whether these are all patches that are asked about, or may be a part, as in memory: a tile
        of a map may be one lake or one town, of which a channel may be odd.

    Returns
    -------
    list
        Channels that hold each other's values; channels that are not of their unit, judged by
        `landslip.data.units.ENOUGH` patches or more; patches all of whose channels of a unit are
        far beyond it.
    """
    found = [Misread(each.sentence, each.rows) for each in find_exchanged(sample, record, recipe)]
    known = int(np.isfinite(sample).any(axis=(1, 2)).sum())
    named = set()
    if known >= ENOUGH:
        pixels = sample.reshape(-1, sample.shape[2])
        for check in check_channels(pixels, recipe.unit_of, recipe.unit_ranges):
            if not check.fits and (whole or _is_far(check, record)):
                found.append(Misread(check.sentence))
                named.add(check.unit)
    for unit, codes in judged.items():
        for code in np.unique(codes[codes != FITS]).tolist():
            rows = np.flatnonzero(codes == code).tolist()
            if unit not in named or len(rows) < _NEARLY_ALL * known:
                expected = recipe.unit_ranges[unit].magnitude
                found.append(Misread(WrongPatches(unit, code, rows, expected).sentence, rows))
    return found


def _is_far(check: UnitCheck, record: BundleRecord) -> bool:
    """Whether a channel cannot be of its unit, whichever patches these are."""
    if check.magnitude is None:
        return False
    low, high = training_range([check.channel], record["distributions"])
    least, greatest = check.expected
    smallest = 0.0 if low[0] <= 0 <= high[0] else min(abs(low[0]), abs(high[0]))
    known = smallest <= check.magnitude <= max(abs(low[0]), abs(high[0]))
    beyond = check.magnitude < least / _BEYOND or check.magnitude > greatest * _BEYOND
    return bool(beyond and not known)


def refuse_misread(seen: Sampled, recipe: Recipe, record: BundleRecord) -> None:
    """Refuse patches in memory as `landslip.bundle.judge` refuses those in files.

    Raises
    ------
    InputError
        What `find_misread` finds first, with the number of patches and the first of them.
    """
    judged = judge_patches(seen, recipe.unit_names, recipe.unit_ranges)
    for wrong in find_misread(seen.sample, judged, recipe, record, whole=False):
        raise InputError(f"{_which(wrong.rows)}: {wrong.sentence}")


def _which(rows: list[int]) -> str:
    if not rows:
        return "all patches together"
    return f"{len(rows)} patches, the first in row {rows[0]}" if rows[1:] else f"row {rows[0]}"
