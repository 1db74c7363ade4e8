"""Patches as they come -> images as the store has them, and which sensors have data in each."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from landslip.bundle.recipe import Recipe
from landslip.data.channels import add_indices
from landslip.data.nodata import DATA, NoData, find_no_data
from landslip.data.patches import as_float32
from landslip.data.sampling import Sampled, pixels_kept, see_patch
from landslip.data.sensors import lacking_sensors, lacks_data
from landslip.data.store_write import fill_holes
from landslip.io.files import InputError
from landslip.io.nearest import nearest

Images = NDArray[np.float32]

# Integers and floats; anything else is no pixel.
_NUMBERS = "iuf"
# Patches that are read and prepared at once.
_AT_ONCE = 64


@dataclass(frozen=True)
class Patches:
    """Checked patches, prepared a few at a time."""

    recipe: Recipe
    present: NDArray[np.bool_]
    """(n, sensor) the sensor has data in all its channels."""
    seen: Sampled
    """What units and the order of channels are judged by."""
    _read: Callable[[NDArray[np.int64]], Images]

    def __len__(self) -> int:
        return len(self.present)

    def images(self, rows: NDArray[np.int64]) -> Images:
        """(n, channel, row, column), finite, channels as `recipe.names`.

        Pixels without data hold the median of the others of their channel, 0 where there is none,
        as the store has them.
        """
        recipe = self.recipe
        places = [recipe.channels.index(name) for pair in recipe.indices.values() for name in pair]
        pairs = list(zip(places[::2], places[1::2], strict=True))
        images = np.empty((len(rows), len(recipe.names), *recipe.size), np.float32)
        # A few at a time, so that what is made on the way takes little memory.
        for start in range(0, len(rows), _AT_ONCE):
            own = slice(start, start + _AT_ONCE)
            bands = self._read(rows[own])
            for patch in bands:
                missing = _missing(patch, recipe.no_data)
                if missing is not None:
                    fill_holes(patch, missing)
            images[own] = add_indices(bands, pairs)
        return images


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
    if isinstance(patches, np.ma.MaskedArray):
        raise InputError("patches are a masked array; give patches.filled(numpy.nan)")
    if patches.dtype.hasobject or patches.dtype.kind not in _NUMBERS:
        raise InputError(f"patches are of dtype {patches.dtype}; expected integers or floats")
    if isinstance(channels, str) or not isinstance(channels, Iterable):
        raise InputError(f"channels must be a list of names, got {channels!r:.80}")
    names = [getattr(channel, "name", channel) for channel in channels]
    for name in names:
        if name not in recipe.channels:
            hint = nearest(str(name), recipe.channels)
            raise InputError(f"unknown channel of the bundle {name!r}{hint}")
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
        See `check_patches`.
    """
    places = np.array(check_patches(patches, channels, recipe))

    def read(rows: NDArray[np.int64]) -> Images:
        bands = np.full((len(rows), len(places), *recipe.size), np.nan, np.float32)
        there = np.flatnonzero(places >= 0)
        # Patch by patch: a copy of all of them in wider numbers takes ten times as long.
        for patch, row in zip(bands, rows, strict=True):
            patch[there] = as_float32(patches[row][places[there]])
        return bands

    return survey(len(patches), recipe, read, least_data)


def survey(
    n: int,
    recipe: Recipe,
    read: Callable[[NDArray[np.int64]], Images],
    least_data: float,
    at_once: int = _AT_ONCE,
) -> Patches:
    """See what each patch holds, and which sensors have data in it; each is read once.

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
    channels, pixels = len(recipe.channels), recipe.size[0] * recipe.size[1]
    lacking = np.zeros((n, channels), np.bool_)
    low, magnitude = np.full((2, n, channels), np.nan, np.float32)
    sample = np.full((n, pixels_kept(n, pixels), channels), np.nan, np.float32)
    for start in range(0, n, at_once):
        rows = np.arange(start, min(start + at_once, n))
        for row, patch in zip(rows.tolist(), read(rows), strict=True):
            bands = patch.reshape(channels, -1)
            codes = find_no_data(bands, recipe.no_data)
            gone = np.zeros(channels, np.int64)
            if codes is not None:
                gone = np.count_nonzero(codes != DATA, axis=1)
            seen = see_patch(bands, codes)
            lacking[row] = lacks_data(seen.low, seen.high, gone, pixels, least_data)
            low[row], magnitude[row] = seen.low, seen.magnitude
            sample[row] = seen.sample[:, : sample.shape[1]].T
    _, absent = lacking_sensors(lacking, recipe.sensor)
    return Patches(recipe, ~absent, Sampled(low, magnitude, sample), read)


def _missing(patch: Images, no_data: NoData) -> NDArray[np.bool_] | None:
    """Which pixels (channel, row, column) hold no data; None where all do."""
    codes = find_no_data(patch.reshape(len(patch), -1), no_data)
    return None if codes is None else (codes != DATA).reshape(patch.shape)
