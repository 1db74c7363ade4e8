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
from landslip.files import InputError, read_parquet, write_parquet

QUANTILES = {"q01": 0.01, "q05": 0.05, "q50": 0.50, "q95": 0.95, "q99": 0.99}
COLUMNS = ("mean", "std", *QUANTILES)

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
    inside those bins. Sums are of one image after another, in float64; the standard deviation is
    the population's, of deviations from the mean.
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


def read_scaling(path: Path) -> pd.DataFrame:
    """Read the scaling parameters: channel, then COLUMNS."""
    return read_parquet(path, ["channel", *COLUMNS])


def scale_and_shift(
    table: pd.DataFrame, channels: Sequence[str], kind: str
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """What to subtract from each channel and then to divide it by.

    Parameters
    ----------
    table
        As `read_scaling` gives it.
    channels
        Names, in the order wanted; a name may come twice.
    kind
        One of SCALINGS. standard: (x - mean) / std. robust: (x - q50) / (q95 - q05).
        robust_1_99: (x - q50) / (q99 - q01).

    Returns
    -------
    shift, scale : (channel,), in the channel's unit
        Where the quantiles of a channel are equal, its scale is its standard deviation; where it
        is constant, 1. No scale is 0.

    Raises
    ------
    InputError
        The table lacks a channel.
    """
    unknown = sorted(set(channels) - set(table["channel"]))
    if unknown:
        raise InputError(
            f"the scaling parameters lack {', '.join(unknown)}; they are of "
            f"{', '.join(table['channel'])}. Delete results/features and run again"
        )
    chosen = table.set_index("channel").loc[list(channels)]
    column = {name: chosen[name].to_numpy(np.float64) for name in COLUMNS}
    shift, scale = {
        "standard": (column["mean"], column["std"]),
        "robust": (column["q50"], column["q95"] - column["q05"]),
        "robust_1_99": (column["q50"], column["q99"] - column["q01"]),
    }[kind]
    scale = np.where(scale > 0, scale, column["std"])
    return shift, np.where(scale > 0, scale, 1.0)


def _reader(
    parts: Sequence[tuple[PatchStore, NDArray[np.int64]]], channels: Sequence[str]
) -> _Blocks:
    """Blocks of some channels, verified when they are first read."""
    verified = False

    def blocks() -> Iterator[NDArray[np.float32]]:
        nonlocal verified
        for store, rows in parts:
            size = 4 * len(channels) * store.shape[2] * store.shape[3]
            step = max(1, _BLOCK_BYTES // size)
            for start in range(0, len(rows), step):
                yield store.read(rows[start : start + step], channels, verify=not verified)
        verified = True

    return blocks


class _FirstPass:
    """Sums, extremes and counts of the upper half of the keys, channel by channel."""

    def __init__(self) -> None:
        self.pixels = 0
        self.rows = 0

    def add(self, patches: NDArray[np.float32]) -> None:
        values = _flatten(patches)
        if self.rows == 0:
            depth = values.shape[1]
            self.sums = np.zeros(depth)
            self.extremes = np.tile(np.array([2**31 - 1, -(2**31)], np.int32), (depth, 1))
            # one array each: most bins are never touched, and small arrays take no whole huge pages
            self.counts = [np.zeros(_BINS, np.int64) for _ in range(depth)]
        for channel in range(values.shape[1]):
            _count_upper(
                values, values.view(np.int32), channel,
                self.sums, self.extremes, self.counts[channel],
            )  # fmt: skip
        refuse_nonfinite(patches, self.extremes[:, 0].min(), self.extremes[:, 1].max(), self.rows)
        self.rows += len(values)
        self.pixels += len(values) * values.shape[2]


class _SecondPass:
    """Squared deviations and counts of the lower half of the keys in the bins that matter."""

    def __init__(self, first: _FirstPass) -> None:
        self.first = first
        self.means = first.sums / first.pixels
        self.squares = np.zeros_like(self.means)
        self.positions = (first.pixels - 1) * np.array(list(QUANTILES.values()))
        lower = np.floor(self.positions).astype(np.int64)
        # the two values that each quantile lies between
        self.ranks = np.stack([lower, np.minimum(lower + 1, first.pixels - 1)], axis=-1)
        self.bins, self.inside = zip(
            *(_find(counts, self.ranks) for counts in first.counts), strict=True
        )
        # bin -> its row among the counts; 0 stands for the bins that do not matter
        self.rows = np.zeros((len(self.bins), _BINS), np.uint8)
        for rows, bins in zip(self.rows, self.bins, strict=True):
            wanted = np.unique(bins)
            rows[wanted] = np.arange(1, len(wanted) + 1)
        self.counts = [np.zeros((rows.max(), 1 << _LOWER_BITS), np.int64) for rows in self.rows]

    def add(self, patches: NDArray[np.float32]) -> None:
        values = _flatten(patches)
        for channel, counts in enumerate(self.counts):
            _count_lower(
                values, values.view(np.int32), channel,
                self.means, self.squares, self.rows[channel], counts,
            )  # fmt: skip

    def result(self) -> NDArray[np.float64]:
        table = np.empty((len(self.means), len(COLUMNS)))
        least, greatest = keys_to_values(self.first.extremes).T.astype(np.float64)
        constant = least == greatest
        table[:, 0] = np.where(constant, least, self.means)
        table[:, 1] = np.where(constant, 0, np.sqrt(self.squares / self.first.pixels))
        fraction = self.positions - self.ranks[:, 0]
        for channel, (bins, inside) in enumerate(zip(self.bins, self.inside, strict=True)):
            counts = self.counts[channel][self.rows[channel, bins] - 1]
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
def _count_upper(
    values: NDArray[np.float32],
    bits: NDArray[np.int32],
    channel: int,
    sums: NDArray[np.float64],
    extremes: NDArray[np.int32],
    counts: NDArray[np.int64],
) -> None:
    pixels = values.shape[2]
    low = extremes[channel, 0]
    high = extremes[channel, 1]
    for i in range(values.shape[0]):
        total = 0.0
        for j in range(pixels):
            total += np.float64(values[i, channel, j])
            bit = bits[i, channel, j]
            key = bit ^ ((bit >> np.int32(31)) & np.int32(0x7FFFFFFF))
            low = min(low, key)
            high = max(high, key)
        sums[channel] += total
        for j in range(pixels):
            bit = bits[i, channel, j]
            key = bit ^ ((bit >> np.int32(31)) & np.int32(0x7FFFFFFF))
            counts[(np.uint32(key) ^ np.uint32(1 << 31)) >> np.uint32(_LOWER_BITS)] += 1
    extremes[channel, 0] = low
    extremes[channel, 1] = high


@compiled(reorder_sums=True)
def _count_lower(
    values: NDArray[np.float32],
    bits: NDArray[np.int32],
    channel: int,
    means: NDArray[np.float64],
    squares: NDArray[np.float64],
    rows: NDArray[np.uint8],
    counts: NDArray[np.int64],
) -> None:
    pixels = values.shape[2]
    mean = means[channel]
    for i in range(values.shape[0]):
        total = 0.0
        for j in range(pixels):
            deviation = np.float64(values[i, channel, j]) - mean
            total += deviation * deviation
        squares[channel] += total
        for j in range(pixels):
            bit = bits[i, channel, j]
            key = np.uint32(bit ^ ((bit >> np.int32(31)) & np.int32(0x7FFFFFFF)))
            row = rows[(key ^ np.uint32(1 << 31)) >> np.uint32(_LOWER_BITS)]
            if row > 0:
                counts[row - 1, key & np.uint32((1 << _LOWER_BITS) - 1)] += 1
