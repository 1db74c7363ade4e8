"""Patches that cannot be what a bundle reads: pixels of another unit, or channels exchanged."""

from landslip.bundle.order import find_exchanged
from landslip.bundle.recipe import Recipe
from landslip.bundle.record import BundleRecord
from landslip.data.sampling import Sampled
from landslip.data.units import FITS, WrongPatches, judge_patches
from landslip.io.files import InputError


def refuse_misread(seen: Sampled, recipe: Recipe, record: BundleRecord) -> None:
    """Refuse patches in memory as `landslip.bundle.judge` refuses those in files.

    Parameters
    ----------
    seen
        Of n patches.
    recipe, record
        Of the bundle.

    Raises
    ------
    InputError
        Channels hold each other's values, or all channels of a unit are far beyond it: which,
        what was expected, in how many patches, and the first of them.
    """
    for exchange in find_exchanged(seen.sample, record, recipe):
        raise InputError(f"{_which(exchange.rows)}: {exchange.sentence}")
    for unit, codes in judge_patches(seen, recipe.unit_names, recipe.unit_ranges).items():
        wrong = (codes != FITS).nonzero()[0].tolist()
        if wrong:
            code, expected = int(codes[wrong[0]]), recipe.unit_ranges[unit].magnitude
            said = WrongPatches(unit, code, wrong, expected).sentence
            raise InputError(f"{_which(wrong)}: {said}")


def _which(rows: list[int]) -> str:
    if not rows:
        return "all patches together"
    return f"{len(rows)} patches, the first in row {rows[0]}" if rows[1:] else f"row {rows[0]}"
