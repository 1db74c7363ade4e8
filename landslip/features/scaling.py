"""Mean, standard deviation and exact quantiles of every channel, by which networks are scaled."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from landslip.data.store import PatchStore, open_store
from landslip.features.compiled import compiled
from landslip.features.keys import keys_to_values, refuse_nonfinite
from landslip.features.scales import COLUMNS, QUANTILES
from landslip.files import InputError, write_parquet

# Bytes of patches that a thread holds at once.
_BLOCK_BYTES = 1 << 22

# Where a key is cut. More upper bits: fewer pixels fall in the bins that the second pass looks
# into, but the counts of the first leave the fast caches.
_LOWER_BITS = 14
_BINS = 1 << (32 - _LOWER_BITS)

_Blocks = Callable[[], Iterable[NDArray[np.float32]]]


def channel_scaling(blocks: _Blocks) -> NDArray[np.float64]:
    """Mean, standard deviation and quantiles of every channel, over all pixels of all patches.

    Parameters
    ----------
    blocks
        Gives the patches (n, channel, row, column), finite, a block at a time, from the first
        each time that it is called: it is called twice.

    Returns
    -------
    (channel, 7), in the order of COLUMNS, in the channel's unit
        The quantiles are exactly those of `np.quantile(channel.astype(np.float64), q)`, linear
        interpolation. A constant channel has std 0. How the patches are cut into blocks changes
        no bit.

    Raises
    ------
    ValueError
        There is no patch, or a pixel is NaN or infinite.

    Notes
    -----
    Two passes in bounded memory. The first counts the upper 18 bits of keys that sort like the
    values, which tells the bins that hold the ranks wanted; the second counts the lower 14 bits
    inside those bins. Sums are of one image after another, in float64, of deviations from the
    mean of the channel's first image: no image's mean is further from the whole mean than the
    population's standard deviation times the root of the number of images, so little is lost when
    the square of their mean is taken off the mean of their squares.
    """
    first = _FirstPass()
    for block in blocks():
        first.add(block)
    if first.pixels == 0:
        raise ValueError("there is no patch to fit scaling parameters on")
    second = _SecondPass(first)
    for block in blocks():
        second.add(block)
    return second.result()


def write_scaling(
    target: Path,
    sources: Sequence[tuple[Path, NDArray[np.int64] | None]],
    *,
    threads: int,
) -> None:
    """Write the scaling parameters of every channel.

    Parameters
    ----------
    target
        Parquet: channel, then COLUMNS.
    sources
        Stores, and the rows of each that count (None: all).
    threads
        The number that compute, each on its own channels; the result does not depend on it.

    Raises
    ------
    InputError
        A store is damaged, or the stores have different channels.
    """
    with ExitStack() as stack:
        parts = []
        for path, rows in sources:
            store = stack.enter_context(open_store(path))
            parts.append((store, np.arange(len(store.ids)) if rows is None else rows))
        channels = parts[0][0].channels
        for store, _ in parts[1:]:
            if store.channels != channels:
                raise InputError(
                    f"{store.path} holds {', '.join(store.channels)}; {parts[0][0].path} holds "
                    f"{', '.join(channels)}. Delete the older one and run again"
                )
        shares = [share.tolist() for share in np.array_split(channels, min(threads, len(channels)))]
        with ThreadPoolExecutor(threads) as pool:
            found = list(pool.map(lambda share: channel_scaling(_reader(parts, share)), shares))
    table = pd.DataFrame(np.concatenate(found), columns=list(COLUMNS))
    table.insert(0, "channel", channels)
    write_parquet(target, table)


def _reader(
    parts: Sequence[tuple[PatchStore, NDArray[np.int64]]], channels: Sequence[str]
) -> _Blocks:
    """Blocks of some channels, verified when they are first read; each overwrites the last."""
    verified = False

    def blocks() -> Iterator[NDArray[np.float32]]:
        nonlocal verified
        for store, rows in parts:
            size = 4 * len(channels) * store.shape[2] * store.shape[3]
            step = max(1, _BLOCK_BYTES // size)
            # new memory for each block costs more than what is computed in it
            memory = np.empty((step, len(channels), *store.shape[2:]), np.float32)
            for start in range(0, len(rows), step):
                some = rows[start : start + step]
                yield store.read(some, channels, verify=not verified, out=memory[: len(some)])
        verified = True

    return blocks


class _FirstPass:
    """Sums, extremes and counts of the upper bits of the keys, channel by channel."""

    def __init__(self) -> None:
        self.pixels = 0
        self.rows = 0

    def add(self, patches: NDArray[np.float32]) -> None:
        values = _flatten(patches)
        if self.rows == 0:
            depth = values.shape[1]
            self.origins = values[0].mean(axis=-1, dtype=np.float64)
            self.sums = np.zeros((depth, 2))
            self.extremes = np.tile(np.array([2**31 - 1, -(2**31)], np.int32), (depth, 1))
            # one array each: most bins are never touched, and small arrays take no whole huge pages
            self.counts = [np.zeros(_BINS, np.int64) for _ in range(depth)]
        bits = values.view(np.int32)
        for channel, counts in enumerate(self.counts):
            _add_moments(values, bits, channel, self.origins, self.sums, self.extremes)
            _count_upper(bits, channel, counts)
        refuse_nonfinite(patches, self.extremes[:, 0].min(), self.extremes[:, 1].max(), self.rows)
        self.rows += len(values)
        self.pixels += len(values) * values.shape[2]

    def moments(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Mean and standard deviation, each (channel,)"""
        shift, square = self.sums.T / self.pixels
        means = self.origins + shift
        stds = np.sqrt(np.maximum(square - shift * shift, 0))
        least, greatest = keys_to_values(self.extremes).T.astype(np.float64)
        constant = least == greatest
        return np.where(constant, least, means), np.where(constant, 0, stds)


class _SecondPass:
    """Counts of the lower bits of the keys in the bins that matter."""

    def __init__(self, first: _FirstPass) -> None:
        self.first = first
        self.positions = (first.pixels - 1) * np.array(list(QUANTILES.values()))
        lower = np.floor(self.positions).astype(np.int64)
        # the two values that each quantile lies between
        self.ranks = np.stack([lower, np.minimum(lower + 1, first.pixels - 1)], axis=-1)
        self.bins, self.inside = zip(
            *(_find(counts, self.ranks) for counts in first.counts), strict=True
        )
        self.wanted = [np.unique(bins).astype(np.int32) for bins in self.bins]
        self.counts = [
            np.zeros((len(wanted), 1 << _LOWER_BITS), np.int64) for wanted in self.wanted
        ]

    def add(self, patches: NDArray[np.float32]) -> None:
        bits = _flatten(patches).view(np.int32)
        for channel, (wanted, counts) in enumerate(zip(self.wanted, self.counts, strict=True)):
            _count_lower(bits, channel, wanted, counts)

    def result(self) -> NDArray[np.float64]:
        table = np.empty((len(self.bins), len(COLUMNS)))
        table[:, 0], table[:, 1] = self.first.moments()
        fraction = self.positions - self.ranks[:, 0]
        for channel, (bins, inside) in enumerate(zip(self.bins, self.inside, strict=True)):
            counts = self.counts[channel][np.searchsorted(self.wanted[channel], bins)]
            ends = np.empty(bins.shape)
            for place in np.ndindex(bins.shape):
                lower, _ = _find(counts[place], inside[place])
                # keys are signed, bins start at the least
                key = (int(bins[place]) << _LOWER_BITS) + int(lower) - (1 << 31)
                ends[place] = keys_to_values(np.array(key, np.int32))
            table[channel, 2:] = _interpolate(ends[:, 0], ends[:, 1], fraction)
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


@compiled(reorder_sums=True)
def _add_moments(
    values: NDArray[np.float32],
    bits: NDArray[np.int32],
    channel: int,
    origins: NDArray[np.float64],
    sums: NDArray[np.float64],
    extremes: NDArray[np.int32],
) -> None:
    """Add up deviations from `origin` and their squares; widen the extreme keys."""
    origin = origins[channel]
    low = extremes[channel, 0]
    high = extremes[channel, 1]
    for i in range(values.shape[0]):
        total = 0.0
        square = 0.0
        for j in range(values.shape[2]):
            deviation = np.float64(values[i, channel, j]) - origin
            total += deviation
            square += deviation * deviation
            bit = bits[i, channel, j]
            key = bit ^ ((bit >> np.int32(31)) & np.int32(0x7FFFFFFF))
            low = min(low, key)
            high = max(high, key)
        sums[channel, 0] += total
        sums[channel, 1] += square
    extremes[channel, 0] = low
    extremes[channel, 1] = high


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
