"""Patches as they come -> images as the store has them, and which sensors have data in each."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import numpy as np
from numpy.typing import NDArray

from landslip.bundle.recipe import Recipe
from landslip.bundle.units import refuse_wrong_units
from landslip.data.channels import add_indices
from landslip.data.nodata import DATA, NoData, find_no_data
from landslip.data.patches import as_float32
from landslip.data.sensors import lacking_sensors, lacks_data
from landslip.data.store_write import fill_holes
from landslip.io.files import InputError

Images = NDArray[np.float32]

# Integers and floats; anything else is no pixel.
_NUMBERS = "iuf"


@dataclass(frozen=True)
class Patches:
    """Checked patches, prepared a few at a time."""

    recipe: Recipe
    present: NDArray[np.bool_]
    """(n, sensor) the sensor has data in all its channels."""
    filled: NDArray[np.bool_]
    """(n, sensor) it has, and pixels without were filled."""
    _read: Callable[[NDArray[np.int64]], Images]

    def __len__(self) -> int:
        return len(self.present)

    def images(self, rows: NDArray[np.int64]) -> Images:
        """(n, channel, row, column), finite, channels as `recipe.names`.

        Pixels without data hold the median of the others of their channel, 0 where there is none,
        as the store has them.
        """
        recipe = self.recipe
        bands = self._read(rows)
        for patch in bands:
            missing = _missing(patch, recipe.no_data)
            if missing is not None:
                fill_holes(patch, missing)
        places = [recipe.channels.index(name) for pair in recipe.indices.values() for name in pair]
        pairs = list(zip(places[::2], places[1::2], strict=True))
        return add_indices(bands, pairs)


def check_patches(patches: Any, channels: Sequence[Any], recipe: Recipe) -> list[int]:
    """Refuse what are no patches of this bundle's kind.

    Parameters
    ----------
    patches
        What was given for patches.
    channels
        Names, or channels as `Ensemble.channels` has them, which have one.
    recipe
        Of the bundle.

    Returns
    -------
    list
        Of each channel of the recipe, its number among those given; -1: absent.

    Raises
    ------
    InputError
        Shape, dtype, or the names of the channels; what was expected and found.
    """
    if not isinstance(patches, np.ndarray):
        raise InputError(f"patches must be a NumPy array, got {type(patches).__name__}")
    if patches.dtype.hasobject or patches.dtype.kind not in _NUMBERS:
        raise InputError(f"patches are of dtype {patches.dtype}; expected integers or floats")
    if isinstance(channels, str):
        raise InputError(f"channels must be a list of names, got the text {channels!r}")
    names = [getattr(channel, "name", channel) for channel in channels]
    for name in names:
        if name not in recipe.channels:
            close = get_close_matches(str(name), recipe.channels, n=1)
            hint = f"; did you mean {close[0]!r}?" if close else ""
            raise InputError(
                f"unknown channel {name!r}{hint} This bundle reads {', '.join(recipe.channels)}"
            )
    if len(set(names)) < len(names):
        raise InputError(f"a channel is named twice: {', '.join(names)}")
    if patches.ndim != 4 or patches.shape[1:] != (len(names), *recipe.size):
        rows, columns = recipe.size
        hint = ""
        if patches.ndim == 4 and patches.shape[1:] == (*recipe.size, len(names)):
            hint = "; the channels come last: give patches.transpose(0, 3, 1, 2)"
        raise InputError(
            f"patches have the shape {patches.shape}, expected (n, {len(names)}, {rows}, "
            f"{columns}): n patches, {len(names)} channels as named, rows, columns{hint}"
        )
    return [names.index(name) if name in names else -1 for name in recipe.channels]


def from_array(
    patches: NDArray[Any], channels: Sequence[Any], recipe: Recipe, least_data: float
) -> Patches:
    """Check patches in memory, and see what each holds.

    Parameters
    ----------
    patches : (n, channel, row, column), in the units of the bundle's channels
        NaN: no data.
    channels
        See `check_patches`; in any order, those that are not named are absent.
    recipe
        Of the bundle.
    least_data
        See `survey`.

    Raises
    ------
    InputError
        See `check_patches`; or pixels are of another unit.
    """
    places = np.array(check_patches(patches, channels, recipe))

    def read(rows: NDArray[np.int64]) -> Images:
        bands = np.full((len(rows), len(places), *recipe.size), np.nan, np.float32)
        there = np.flatnonzero(places >= 0)
        bands[:, there] = as_float32(patches[rows][:, places[there]])
        return bands

    found = survey(len(patches), recipe, read, least_data)
    refuse_wrong_units(len(patches), read, recipe)
    return found


def survey(
    n: int,
    recipe: Recipe,
    read: Callable[[NDArray[np.int64]], Images],
    least_data: float,
    at_once: int = 64,
) -> Patches:
    """See which sensors have data in each patch.

    Parameters
    ----------
    n
        How many there are.
    recipe
        Of the bundle.
    read
        Numbers of patches -> their bands (n, channel, row, column); NaN where there is nothing.
        What it returns may be changed.
    least_data
        Share of a channel's pixels that must hold data, or its sensor counts as missing; see
        `landslip.data.sensors.lacks_data`.
    at_once
        Patches in memory.
    """
    lacking, holes = np.zeros((2, n, len(recipe.channels)), np.bool_)
    for start in range(0, n, at_once):
        rows = np.arange(start, min(start + at_once, n))
        for row, patch in zip(rows.tolist(), read(rows), strict=True):
            lacking[row], holes[row] = _look(patch, recipe.no_data, least_data)
    _, absent = lacking_sensors(lacking, recipe.sensor)
    _, filled = lacking_sensors(holes, recipe.sensor)
    return Patches(recipe, ~absent, filled & ~absent, read)


def _look(
    patch: Images, no_data: NoData, least_data: float
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """(channel,) which have too little data, and which have pixels without."""
    missing = _missing(patch, no_data)
    known = patch.reshape(len(patch), -1)
    holes = np.zeros(len(patch), np.int64)
    if missing is not None:
        gone = missing.reshape(len(patch), -1)
        holes, known = np.count_nonzero(gone, axis=1), np.where(gone, np.nan, known)
    # fmin and fmax pass over NaN, without the warning of nanmin where there is nothing else
    low, high = np.fmin.reduce(known, axis=1), np.fmax.reduce(known, axis=1)
    return lacks_data(low, high, holes, known.shape[1], least_data), holes > 0


def _missing(patch: Images, no_data: NoData) -> NDArray[np.bool_] | None:
    """Which pixels (channel, row, column) hold no data; None where all do."""
    codes = find_no_data(patch.reshape(len(patch), -1), no_data)
    return None if codes is None else (codes != DATA).reshape(patch.shape)
