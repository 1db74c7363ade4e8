"""Patches in memory whose pixels cannot be of the units that a bundle reads."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from landslip.bundle.recipe import Recipe
from landslip.data.units import FITS, WrongPatches, judge_patches
from landslip.io.files import InputError

# Every so many rows and columns are looked at.
_STEP = 4
_AT_ONCE = 256


def refuse_wrong_units(
    read: Callable[[NDArray[np.int64]], NDArray[np.float32]],
    present: NDArray[np.bool_],
    recipe: Recipe,
) -> None:
    """Refuse patches all of whose channels of a unit are far beyond it.

    Parameters
    ----------
    read
        Numbers of patches -> their bands (n, channel, row, column).
    present : (n, sensor)
        Which sensors have data: the others are not looked at.
    recipe
        Of the bundle.

    Raises
    ------
    InputError
        Some are: the unit, what was expected, how many, and the first of them.
    """
    owner = [recipe.sensors.index(recipe.sensor[name]) for name in recipe.channels]
    for start in range(0, len(present), _AT_ONCE):
        rows = np.arange(start, min(start + _AT_ONCE, len(present)))
        sample = read(rows)[..., ::_STEP, ::_STEP].reshape(len(rows), len(owner), -1)
        sample[~present[rows][:, owner]] = np.nan
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


def _median(values: NDArray[np.float32]) -> NDArray[np.float64]:
    """Of the last axis, over what is no NaN; NaN where that is nothing."""
    flat = values.reshape(-1, values.shape[-1])
    known = [row[np.isfinite(row)] for row in flat]
    medians = [float(np.median(row)) if row.size else np.nan for row in known]
    return np.array(medians).reshape(values.shape[:-1])
