"""Channels that hold each other's values, as where their order is another: told by the training's.

No unit and no name is asked: what counts is where the pixels of each channel lie in the training.
Channels that are alike there (an orbit and the other, red and green) cannot be told apart.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.csgraph import connected_components

from landslip.bundle.distributions import (
    FEWEST,
    by_chance,
    distance,
    patch_medians,
    tell_water,
)
from landslip.bundle.recipe import Recipe
from landslip.bundle.record import SURFACES, BundleRecord, DistributionsRecord, Surface

# Percentiles of the training: its values lie between the first two, in the middle between others.
_RANGE, _MIDDLE = (1, 99), (5, 95)
# Mean of two channels' distances from the training that counts; and what it is then, at most, of
# each once they are exchanged, also as a share of the former.
LARGE, _ALIKE, _EXPLAINED = 0.45, 0.35, 0.5

Values = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Exchange:
    """Channels that hold each other's values."""

    channels: tuple[str, ...]
    sentence: str
    """To stand after a number of patches and a colon."""
    rows: list[int] = field(default_factory=list)
    """Patches that tell it, each alone; none: all together do."""
    distance: float | None = None
    """Where all together do: of the channels from the training's, in the mean. `LARGE` counts."""


def find_exchanged(
    sample: NDArray[np.floating], record: BundleRecord, recipe: Recipe
) -> list[Exchange]:
    """Find channels that hold each other's values.

    Parameters
    ----------
    sample : (n, pixel, channel)
        Pixels of some patches, NaN where there is no data.
    record, recipe
        Of the bundle.

    Returns
    -------
    list
        Of patches by themselves, where channels that nowhere in the training have common values
        (reflectance and decibels) hold each other's. Where there are none, pairs of channels of
        ten patches or more together, by the distributions of their pixels over land and water.
        Empty for patches that are odd in another way: a channel must be where another belongs, and
        the other, or a chain of others, in its place.
    """
    values = sample.astype(np.float64)
    medians = patch_medians(values)
    found = list(_by_patch(medians, recipe.channels, record["distributions"]))
    return found or list(_by_batch(values, medians, record, recipe))


def _by_patch(
    medians: Values, names: Sequence[str], reference: DistributionsRecord
) -> Iterator[Exchange]:
    low, high = training_range(names, reference)
    middle_low, middle_high = training_range(names, reference, _MIDDLE)
    apart = (middle_high[:, np.newaxis] < middle_low) | (middle_low[:, np.newaxis] > middle_high)
    astray = (medians < low) | (medians > high)
    rows: list[int] = []
    places: set[int] = set()
    for row in np.flatnonzero(astray.sum(axis=1) > 1).tolist():
        of = medians[row][:, np.newaxis]
        belongs = astray[row][:, np.newaxis] & apart & (of >= low) & (of <= high)
        if groups := _cycles(belongs):
            rows.append(row)
            places.update(place for group in groups for place in group)
    if rows:
        yield _exchange(sorted(places), medians[rows], names, reference, rows=rows)


def _by_batch(
    values: Values, medians: Values, record: BundleRecord, recipe: Recipe
) -> Iterator[Exchange]:
    batch = _Batch(values, medians, record, recipe)
    as_given = list(range(len(recipe.channels)))
    own = batch.distances(as_given, as_given)
    enough = max(LARGE, by_chance(len(values))) if len(values) else np.inf
    belongs = np.zeros((len(as_given), len(as_given)), np.bool_)
    for pair in combinations(as_given, 2):
        given = own[list(pair)].mean()
        if not given >= enough or batch.alike(*pair):
            continue
        turned = as_given.copy()
        turned[pair[0]], turned[pair[1]] = pair[1], pair[0]
        then = batch.distances(turned, pair)
        if then.max() <= _ALIKE and then.mean() <= _EXPLAINED * given:
            belongs[pair] = belongs[pair[::-1]] = True
    for group in _cycles(belongs):
        away = float(own[list(group)].mean())
        reference = record["distributions"]
        yield _exchange(group, medians, recipe.channels, reference, distance=away)


class _Batch:
    """Patches, compared with the training as they are or with channels in another order."""

    def __init__(
        self, values: Values, medians: Values, record: BundleRecord, recipe: Recipe
    ) -> None:
        self._values, self._medians, self._recipe = values, medians, recipe
        self._told = record["distributions"]
        self._offset = record["conventions"]["reflectance_offset"]

    def alike(self, one: int, other: int) -> bool:
        """Whether land tells two channels apart; water has its wind, which a day may exchange."""
        land, names = self._told["quantiles"]["land"], self._recipe.channels
        first, second = land.get(names[one]), land.get(names[other])
        return not first or not second or distance(np.array(first), second) < _ALIKE

    def distances(self, order: Sequence[int], channels: Sequence[int]) -> Values:
        """(channel,) from the training's, where `order` says which channel stands for each.

        Land and water apart, as this order tells them, and each as much as it has patches. NaN
        where nothing can be said.
        """
        water = tell_water(self._medians[:, list(order)], self._recipe, self._offset)
        surfaces: list[tuple[Surface, Flags]] = [("land", ~water), ("water", water)]
        found = np.full(len(channels), np.nan)
        for place, channel in enumerate(channels):
            name, total, patches = self._recipe.channels[channel], 0.0, 0
            for surface, own in surfaces:
                quantiles = self._told["quantiles"][surface].get(name)
                pixels = self._values[own, :, order[channel]]
                known = int(np.isfinite(pixels).any(axis=1).sum())
                if quantiles and known >= FEWEST <= self._told["patches"][surface]:
                    total += known * distance(pixels, quantiles)
                    patches += known
            if patches:
                found[place] = total / patches
        return found


def _cycles(belongs: Flags) -> list[tuple[int, ...]]:
    """Channels that can all take each other's place, by (channel, channel that it belongs to)."""
    if not belongs.any():
        return []
    _, label = connected_components(belongs, directed=True, connection="strong")
    groups = [np.flatnonzero(label == number) for number in np.unique(label)]
    return [tuple(group.tolist()) for group in groups if len(group) > 1]


def _exchange(
    group: Sequence[int],
    medians: Values,
    names: Sequence[str],
    reference: DistributionsRecord,
    **how: Any,
) -> Exchange:
    """Of channels by number; `medians` (n, channel) of the patches that tell it."""
    channels = tuple(names[place] for place in group)
    seen = []
    for place in (group[0], group[-1]):
        known = [
            q for surface in SURFACES if (q := reference["quantiles"][surface].get(names[place]))
        ]
        usual = known[0][len(known[0]) // 2] if known else np.nan
        median = float(np.nanmedian(medians[:, place]))
        seen.append(f"{names[place]} lies at {median:.4g} where the training has {usual:.4g}")
    return Exchange(
        channels,
        f"the channels {', '.join(channels)} hold each other's values: {' and '.join(seen)} in "
        f"the median; is their order another? The bundle reads {', '.join(names)}",
        **how,
    )


def training_range(
    names: Sequence[str], reference: DistributionsRecord, percents: tuple[int, int] = _RANGE
) -> tuple[Values, Values]:
    """(channel,) percentiles of land and water together; of what the training lacks, NaN."""
    low, high = np.full((2, len(names)), np.nan)
    for place, name in enumerate(names):
        known = [reference["quantiles"][surface].get(name) for surface in SURFACES]
        low[place] = min((q[percents[0]] for q in known if q), default=np.nan)
        high[place] = max((q[percents[1]] for q in known if q), default=np.nan)
    return low, high
