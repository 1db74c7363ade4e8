"""Patches in memory whose pixels cannot be of the units that a bundle reads."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from landslip.bundle.recipe import Recipe
from landslip.data.nodata import DATA, FAR, find_no_data
from landslip.data.units import FITS, WrongPatches, judge_patches
from landslip.io.files import InputError

# Every so many rows and columns are looked at.
_STEP = 4
_AT_ONCE = 256


def refuse_wrong_units(
    n: int, read: Callable[[NDArray[np.int64]], NDArray[np.float32]], recipe: Recipe
) -> None:
    """Refuse patches all of whose channels of a unit are far beyond it.

    Parameters
    ----------
    n
        Patches.
    read
        Numbers of patches -> their bands (n, channel, row, column).
    recipe
        Of the bundle.

    Raises
    ------
    InputError
        Some are: the unit, what was expected, how many, and the first of them.
    """
    for start in range(0, n, _AT_ONCE):
        rows = np.arange(start, min(start + _AT_ONCE, n))
        sample = read(rows)[..., ::_STEP, ::_STEP].reshape(len(rows), len(recipe.channels), -1)
        for patch in sample:
            _leave_out_what_is_no_data(patch, recipe)
        seen: Any = SimpleNamespace(
            magnitude=_median(np.abs(sample)), low=np.fmin.reduce(sample, axis=2)
        )
        for unit, codes in judge_patches(seen, recipe.unit_names, recipe.unit_ranges).items():
            wrong = rows[codes != FITS]
            if wrong.size:
                expected = recipe.unit_ranges[unit].magnitude
                code = int(codes[codes != FITS][0])
                said = WrongPatches(unit, code, wrong.tolist(), expected).sentence
                raise InputError(f"{len(wrong)} patches, the first in row {wrong[0]}: {said}")


def _leave_out_what_is_no_data(patch: NDArray[np.float32], recipe: Recipe) -> None:
    """Put NaN for pixels without data and constant channels; what is far outside its unit stays."""
    codes = find_no_data(patch, recipe.no_data)
    far = np.zeros(len(patch), np.bool_)
    if codes is not None:
        far = (codes == FAR).any(axis=1)
        patch[(codes != DATA) & (codes != FAR)] = np.nan
    constant = ~(np.fmin.reduce(patch, axis=1) < np.fmax.reduce(patch, axis=1))
    patch[constant & ~far] = np.nan


def _median(values: NDArray[np.float32]) -> NDArray[np.float64]:
    """Of the last axis, over what is no NaN; NaN where that is nothing."""
    flat = values.reshape(-1, values.shape[-1])
    known = [row[np.isfinite(row)] for row in flat]
    medians = [float(np.median(row)) if row.size else np.nan for row in known]
    return np.array(medians).reshape(values.shape[:-1])
