"""What pixels look like, per channel, land and water apart: of the training, to compare with."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from landslip.bundle.recipe import Recipe
from landslip.bundle.record import SURFACES, DistributionsRecord, Surface
from landslip.bundle.water import by_medians, dark_limit
from landslip.data.survey import Survey

LEVELS = np.linspace(0, 1, 101)
FEWEST = 10
"""Patches of a surface without which nothing is said of it."""
Values = NDArray[np.float64]


class PixelSample:
    """What sampled pixels of patches show, from their surveys.

    Parameters
    ----------
    surveys
        Of the same channels.
    offset
        What numbers of reflectance hold beyond it; None: nothing known.
    """

    def __init__(self, surveys: Sequence[Survey], recipe: Recipe, offset: float | None) -> None:
        self.recipe = recipe
        good = [survey.fault == "" for survey in surveys]
        parts = list(zip(surveys, good, strict=True))
        self.sample: Values = np.concatenate([s.sample[g] for s, g in parts]).astype(np.float64)
        """(n, pixel, channel), NaN where there is no data."""
        self.low: Values = np.concatenate([s.low[g] for s, g in parts]).astype(np.float64)
        """(n, channel), least pixel."""
        self.zero_pixels = np.concatenate([s.zero[g] for s, g in parts])
        """(n, channel), pixels that are 0 in a whole group of channels."""
        self.water = tell_water(patch_medians(self.sample), recipe, offset)
        """(n,)"""

    def see_water_with(self, offset: float | None) -> None:
        """Tell water anew, by another offset of reflectance."""
        self.water = tell_water(patch_medians(self.sample), self.recipe, offset)

    def __len__(self) -> int:
        return len(self.sample)

    def on(self, surface: Surface) -> NDArray[np.bool_]:
        """(n,) patches of land or of water."""
        return self.water if surface == "water" else ~self.water

    def of(self, channel: str) -> Values:
        """(n, pixel) of a channel."""
        return self.sample[..., self.recipe.channels.index(channel)]

    def pair(self, first: str, second: str) -> Values:
        """(n, pixel, 2) of two channels."""
        return np.stack([self.of(first), self.of(second)], axis=2)

    def lows(self, channel: str) -> Values:
        """(n,) the least pixel of each patch."""
        return self.low[:, self.recipe.channels.index(channel)]

    def channels(self, *quantities: str) -> list[str]:
        """Channels of these quantities."""
        units = self.recipe.units
        return [name for name in self.recipe.channels if units[name].quantity in quantities]

    def zeros(self, channel: str) -> float:
        """Share of sampled pixels that are exactly 0, known as no data or not."""
        pixels = self.of(channel)
        place = self.recipe.channels.index(channel)
        rows, columns = self.recipe.size
        whole = max(rows * columns, 1) * max(len(self), 1)
        known = float(self.zero_pixels[:, place].sum()) / whole
        seen = pixels[np.isfinite(pixels)]
        return known + (float((seen == 0).mean()) * (1 - known) if seen.size else 0.0)

    def orbits(self) -> dict[str, float]:
        """`desc_vv and asc_vv` -> correlation of the patches' means over land, in two orbits."""
        land = ~self.water
        found = {}
        for first, second in orbit_pairs(self.recipe):
            one, other = _by_patch(self.pair(first, second)[land], np.mean).T
            both = np.isfinite(one) & np.isfinite(other)
            if both.sum() >= 10 and one[both].std() > 0 and other[both].std() > 0:
                found[f"{first} and {second}"] = float(np.corrcoef(one[both], other[both])[0, 1])
        return found


def orbit_pairs(recipe: Recipe) -> list[tuple[str, str]]:
    """Channels of backscatter of two orbits that differ in nothing else, first and second."""
    of: dict[str, list[str]] = {}
    for name in recipe.channels:
        if recipe.units[name].quantity == "backscatter":
            of.setdefault(recipe.sensor[name], []).append(name)
    orbits = list(of.values())
    return list(zip(*orbits, strict=True)) if len(orbits) == 2 and _even(orbits) else []


def _even(parts: Sequence[Sequence[str]]) -> bool:
    return len({len(part) for part in parts}) == 1


def describe_patches(
    surveys: Sequence[Survey], recipe: Recipe, offset: float | None
) -> DistributionsRecord:
    """Distributions of training patches."""
    sample = PixelSample(surveys, recipe, offset)
    quantiles: dict[Surface, dict[str, list[float] | None]] = {}
    lows: dict[Surface, dict[str, list[float] | None]] = {}
    for surface in SURFACES:
        own = sample.on(surface)
        quantiles[surface] = {n: _quantiles(sample.of(n)[own]) for n in recipe.channels}
        lows[surface] = {n: _quantiles(sample.lows(n)[own]) for n in recipe.channels}
    return {
        "patches": {surface: int(sample.on(surface).sum()) for surface in SURFACES},
        "quantiles": quantiles,
        "lows": lows,
        "zeros": {name: sample.zeros(name) for name in recipe.channels},
        "orbits": sample.orbits(),
    }


def distance(values: Values, quantiles: Sequence[float]) -> float:
    """Kolmogorov's distance of values from a distribution by its LEVELS.

    Returns
    -------
    float
        From 0 (alike) to 1 (wholly apart).
    """
    known = np.sort(values[np.isfinite(values)])
    if not known.size:
        return 0.0
    expected = np.interp(known, quantiles, LEVELS, left=0.0, right=1.0)
    steps = np.arange(known.size + 1) / known.size
    return float(max(np.abs(steps[1:] - expected).max(), np.abs(steps[:-1] - expected).max()))


def by_chance(patches: int) -> float:
    """Distance of so few patches by chance alone, as pixels of a patch resemble each other."""
    return float(2 / np.sqrt(patches))


def outside(values: Values, quantiles: Sequence[float]) -> float:
    """Share of values beyond the training's 1st and 99th percentile."""
    known = values[np.isfinite(values)]
    if not known.size:
        return 0.0
    return float(((known < quantiles[1]) | (known > quantiles[-2])).mean())


def _quantiles(values: Values) -> list[float] | None:
    known = values[np.isfinite(values)]
    return [float(v) for v in np.quantile(known, LEVELS)] if known.size else None


def patch_medians(sample: Values) -> Values:
    """(n, channel) of (n, pixel, channel), over what is no NaN; NaN where that is nothing."""
    return _by_patch(sample, np.median)


def tell_water(medians: Values, recipe: Recipe, offset: float | None) -> NDArray[np.bool_]:
    """Which patches are open water, where the index NDWI says which channels tell it.

    Parameters
    ----------
    medians : (n, channel)
        Of patches.
    recipe
        Whose channels they are.
    offset
        What numbers of reflectance hold beyond it; None: nothing known.
    """
    pair = recipe.indices.get("ndwi")
    if pair is None:
        return np.zeros(len(medians), np.bool_)
    nir, green = (medians[:, recipe.channels.index(name)] for name in pair)
    return by_medians(green, nir, dark_limit(offset))


def _by_patch(sample: Values, measure: Any) -> Values:
    """(n, channel) of (n, pixel, channel), over what is no NaN; NaN where that is nothing."""
    found = np.full((len(sample), sample.shape[2]), np.nan)
    known = np.asarray(np.isfinite(sample))
    whole = np.asarray(known.all(axis=1))
    for place in range(sample.shape[2]):
        rows = whole[:, place]
        if rows.any():
            found[rows, place] = measure(sample[rows, :, place], axis=1)
        for row in np.flatnonzero(~rows & known[:, :, place].any(axis=1)):
            found[row, place] = measure(sample[row, known[row, :, place], place])
    return found
