"""Counts and sums of pixels from which exact quantiles, mean and deviation follow.

Two passes in bounded memory. The first counts the upper 18 bits of keys that sort like the values,
which tells the bins that hold the ranks wanted; the second counts the lower 14 bits inside those
bins. What is counted of some patches and of others adds up to what is counted of all.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from landslip.features.compiled import compiled
from landslip.features.keys import keys_to_values, refuse_nonfinite
from landslip.features.scales import COLUMNS, QUANTILES

# Where a key is cut. More upper bits: fewer pixels fall in the bins that the second pass looks
# into, but the counts of the first leave the fast caches.
_LOWER_BITS = 14
_BINS = 1 << (32 - _LOWER_BITS)
# Sums that are added up side by side.
_LANES = 8


class UpperCounts:
    """The first pass: sums, extremes and counts of the upper bits of the keys, by channel.

    Parameters
    ----------
    origins : (channel,)
        What deviations are taken from, the same for all that is added up. The mean of some image
        of the population serves: it is no further from the whole mean than the population's
        standard deviation times the root of the number of images, so little is lost when the
        square of the mean deviation is taken off the mean of their squares.

    Notes
    -----
    Sums of images are float64, and are added up in twice that precision: how patches are cut into
    blocks and shards changes no bit of the result but where it lies within 2^-100 of the middle
    between two numbers.
    """

    def __init__(self, origins: NDArray[np.float64]) -> None:
        depth = len(origins)
        self.origins = origins
        self.pixels = 0
        self.sums = np.zeros((depth, 2, 2))
        """(channel, [deviation, square], [sum, what rounding left of it])"""
        self.extremes = np.tile(np.array([2**31 - 1, -(2**31)], np.int32), (depth, 1))
        # one array each: most bins are never touched, and small arrays take no whole huge pages
        self.counts = [np.zeros(_BINS, np.int64) for _ in range(depth)]
        self._rows = 0

    def add(self, patches: NDArray[np.float32]) -> None:
        """Add patches (n, channel, row, column); they must be finite."""
        values = _flatten(patches)
        bits = values.view(np.int32)
        totals = np.empty((len(values), 2))
        for channel, counts in enumerate(self.counts):
            origin = self.origins[channel]
            _sum_images(values, bits, channel, origin, totals, self.extremes[channel])
            _add_exactly(self.sums[channel], totals)
            _count_upper(bits, channel, counts)
        refuse_nonfinite(patches, self.extremes[:, 0].min(), self.extremes[:, 1].max(), self._rows)
        self._rows += len(values)
        self.pixels += len(values) * values.shape[2]

    def merge(self, other: "UpperCounts") -> None:
        """Add what was counted of other patches, with the same origins."""
        self.pixels += other.pixels
        self.extremes[:, 0] = np.minimum(self.extremes[:, 0], other.extremes[:, 0])
        self.extremes[:, 1] = np.maximum(self.extremes[:, 1], other.extremes[:, 1])
        for channel, counts in enumerate(self.counts):
            counts += other.counts[channel]
            _add_exactly(self.sums[channel], other.sums[channel].T)

    def moments(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Mean and standard deviation, each (channel,)"""
        shift, square = self.sums.sum(axis=-1).T / self.pixels
        means = self.origins + shift
        stds = np.sqrt(np.maximum(square - shift * shift, 0))
        least, greatest = keys_to_values(self.extremes).T.astype(np.float64)
        constant = least == greatest
        return np.where(constant, least, means), np.where(constant, 0, stds)


@dataclass(frozen=True, kw_only=True)
class Ranks:
    """What the first pass tells, and where the second has to look."""

    means: NDArray[np.float64]
    """(channel,)"""
    stds: NDArray[np.float64]
    """(channel,)"""
    fractions: NDArray[np.float64]
    """(quantile,) where each lies between the two values that enclose it, 0 to 1."""
    bins: NDArray[np.int64]
    """(channel, quantile, 2) bins that hold these two values."""
    inside: NDArray[np.int64]
    """(channel, quantile, 2) their ranks, counted from the start of the bin."""

    @property
    def wanted(self) -> list[NDArray[np.int32]]:
        """Bins of each channel that the second pass counts, ascending."""
        return [np.unique(bins).astype(np.int32) for bins in self.bins]


def find_ranks(counts: UpperCounts) -> Ranks:
    """Find the bins of all quantiles.

    Raises
    ------
    ValueError
        There is no pixel.
    """
    if counts.pixels == 0:
        raise ValueError("there is no patch to fit scaling parameters on")
    positions = (counts.pixels - 1) * np.array(list(QUANTILES.values()))
    lower = np.floor(positions).astype(np.int64)
    ranks = np.stack([lower, np.minimum(lower + 1, counts.pixels - 1)], axis=-1)
    bins, inside = zip(*(_find(channel, ranks) for channel in counts.counts), strict=True)
    means, stds = counts.moments()
    return Ranks(
        means=means,
        stds=stds,
        fractions=positions - lower,
        bins=np.stack(bins),
        inside=np.stack(inside),
    )


class LowerCounts:
    """The second pass: counts of the lower bits of the keys in the bins that matter."""

    def __init__(self, wanted: list[NDArray[np.int32]]) -> None:
        self.wanted = wanted
        self.counts = [np.zeros((len(bins), 1 << _LOWER_BITS), np.int64) for bins in wanted]

    def add(self, patches: NDArray[np.float32]) -> None:
        """Add patches (n, channel, row, column)."""
        bits = _flatten(patches).view(np.int32)
        for channel, (wanted, counts) in enumerate(zip(self.wanted, self.counts, strict=True)):
            _count_lower(bits, channel, wanted, counts)

    def merge(self, counts: list[NDArray[np.int64]]) -> None:
        """Add what was counted of other patches in the same bins."""
        for own, others in zip(self.counts, counts, strict=True):
            own += others


def scaling_parameters(ranks: Ranks, lower: LowerCounts) -> NDArray[np.float64]:
    """What both passes tell: (channel, 7), in the order of COLUMNS."""
    table = np.empty((len(ranks.bins), len(COLUMNS)))
    table[:, 0], table[:, 1] = ranks.means, ranks.stds
    for channel, (bins, inside) in enumerate(zip(ranks.bins, ranks.inside, strict=True)):
        counts = lower.counts[channel][np.searchsorted(lower.wanted[channel], bins)]
        ends = np.empty(bins.shape)
        for place in np.ndindex(bins.shape):
            offset, _ = _find(counts[place], inside[place])
            # keys are signed, bins start at the least
            key = (int(bins[place]) << _LOWER_BITS) + int(offset) - (1 << 31)
            ends[place] = keys_to_values(np.array(key, np.int32))
        table[channel, 2:] = _interpolate(ends[:, 0], ends[:, 1], ranks.fractions)
    return table


def _find(
    counts: NDArray[np.int64], ranks: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Bins that hold these ranks, and the ranks counted from the start of the bin."""
    upto = np.cumsum(counts)
    bins = np.searchsorted(upto, ranks, side="right")
    return bins, ranks - (upto[bins] - counts[bins])


def _interpolate(
    low: NDArray[np.float64], high: NDArray[np.float64], fraction: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Linear interpolation, rounded as `np.quantile` rounds: from the nearer end."""
    step = high - low
    return np.where(fraction < 0.5, low + step * fraction, high - step * (1 - fraction))


def _flatten(patches: NDArray[np.float32]) -> NDArray[np.float32]:
    """(n, channel, pixel)"""
    return np.ascontiguousarray(patches, np.float32).reshape(*patches.shape[:2], -1)


@compiled()
def _sum_images(
    values: NDArray[np.float32],
    bits: NDArray[np.int32],
    channel: int,
    origin: float,
    totals: NDArray[np.float64],
    extremes: NDArray[np.int32],
) -> None:
    """Fill totals (image, 2) of deviations from `origin` and their squares; widen the extremes."""
    low = extremes[0]
    high = extremes[1]
    pixels = values.shape[2]
    whole = pixels - pixels % _LANES
    # Which pixel goes into which sum is fixed, so that every process finds the same bits.
    sums = np.empty((2, _LANES))
    for i in range(values.shape[0]):
        sums[:] = 0.0
        for start in range(0, whole, _LANES):
            for lane in range(_LANES):
                deviation = np.float64(values[i, channel, start + lane]) - origin
                sums[0, lane] += deviation
                sums[1, lane] += deviation * deviation
        for j in range(whole, pixels):
            deviation = np.float64(values[i, channel, j]) - origin
            sums[0, j - whole] += deviation
            sums[1, j - whole] += deviation * deviation
        totals[i, :] = 0.0
        for lane in range(_LANES):
            totals[i, 0] += sums[0, lane]
            totals[i, 1] += sums[1, lane]
        for j in range(pixels):
            bit = bits[i, channel, j]
            key = bit ^ ((bit >> np.int32(31)) & np.int32(0x7FFFFFFF))
            low = min(low, key)
            high = max(high, key)
    extremes[0] = low
    extremes[1] = high


@compiled()
def _add_exactly(sums: NDArray[np.float64], values: NDArray[np.float64]) -> None:
    """Add values (n, 2) to sums (2, [sum, what rounding left of it])."""
    for column in range(2):
        total = sums[column, 0]
        rest = sums[column, 1]
        for i in range(values.shape[0]):
            value = values[i, column]
            added = total + value
            # Knuth's exact error of a sum
            part = added - total
            rest += (total - (added - part)) + (value - part)
            total = added
        sums[column, 0] = total
        sums[column, 1] = rest


@compiled()
def _count_upper(bits: NDArray[np.int32], channel: int, counts: NDArray[np.int64]) -> None:
    """Count the bins of all pixels."""
    bins = np.empty(bits.shape[2], np.uint32)
    for i in range(bits.shape[0]):
        # a loop of its own, because the processor can do it for many pixels at once
        for j in range(bits.shape[2]):
            bit = bits[i, channel, j]
            key = bit ^ ((bit >> np.int32(31)) & np.int32(0x7FFFFFFF))
            bins[j] = (np.uint32(key) ^ np.uint32(1 << 31)) >> np.uint32(_LOWER_BITS)
        for j in range(bits.shape[2]):
            counts[bins[j]] += 1


@compiled()
def _count_lower(
    bits: NDArray[np.int32],
    channel: int,
    wanted: NDArray[np.int32],
    counts: NDArray[np.int64],
) -> None:
    """Count the lower bits of those pixels that lie in the bins wanted."""
    # few do: mark them, six bins for many pixels at once, and visit those alone
    marks = np.empty(bits.shape[2], np.uint8)
    for i in range(bits.shape[0]):
        marks[:] = 0
        for first in range(0, len(wanted), 6):
            last = len(wanted) - 1
            # signed, as the keys themselves are
            a = wanted[first] - np.int32(_BINS >> 1)
            b = wanted[min(first + 1, last)] - np.int32(_BINS >> 1)
            c = wanted[min(first + 2, last)] - np.int32(_BINS >> 1)
            d = wanted[min(first + 3, last)] - np.int32(_BINS >> 1)
            e = wanted[min(first + 4, last)] - np.int32(_BINS >> 1)
            f = wanted[min(first + 5, last)] - np.int32(_BINS >> 1)
            for j in range(bits.shape[2]):
                bit = bits[i, channel, j]
                key = bit ^ ((bit >> np.int32(31)) & np.int32(0x7FFFFFFF))
                upper = key >> np.int32(_LOWER_BITS)
                marks[j] |= (
                    np.uint8(upper == a) | np.uint8(upper == b) | np.uint8(upper == c)
                    | np.uint8(upper == d) | np.uint8(upper == e) | np.uint8(upper == f)
                )  # fmt: skip
        for j in range(bits.shape[2]):
            if marks[j]:
                bit = bits[i, channel, j]
                key = bit ^ ((bit >> np.int32(31)) & np.int32(0x7FFFFFFF))
                upper = (key >> np.int32(_LOWER_BITS)) + np.int32(_BINS >> 1)
                row = np.searchsorted(wanted, upper)
                counts[row, key & np.int32((1 << _LOWER_BITS) - 1)] += 1
