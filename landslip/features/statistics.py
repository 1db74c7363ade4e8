"""Seven statistics of every channel of every patch, which the tree models read."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from landslip.data.store import open_store
from landslip.features.compiled import compiled
from landslip.features.names import STATISTICS, feature_columns
from landslip.io.large_tables import write_blocks

# Patches that a thread holds at once, and rows of the table that are in memory.
_BLOCK = 32
_ROWS = 8192

# The median is what statistics cost. A float's bits, read as an integer and mirrored below zero,
# sort like the float; so the middle one is found by counting integers: the range of the keys is
# cut in at most 2048 equal buckets, the bucket that holds the middle is cut again, and what is
# left, a handful, is sorted. Three rounds at most, whatever the values.
_BUCKETS = 2048
_FEW = 24
# Sums that are added up side by side.
_LANES = 8
_MIRROR = np.int32(0x7FFFFFFF)


def patch_statistics(patches: NDArray[np.float32]) -> NDArray[np.float64]:
    """Seven statistics of every channel of every patch.

    Parameters
    ----------
    patches : (n, channel, row, column), any unit
        NaN and infinity are not allowed.

    Returns
    -------
    (n, channel, 7), in the order of STATISTICS, in the channel's unit
        min and max are exact, the median is that of `np.median` (the mean of the two middle
        pixels, in float32). Where a channel is constant, std, skew and kurtosis are 0.

    Raises
    ------
    ValueError
        A patch holds NaN or infinity; the message names its position.

    Notes
    -----
    Population moments, Fisher's kurtosis, as in scipy.stats with bias=True; two passes in
    float64, so that a large mean costs no digits. The result does not depend on how patches are
    cut into calls.
    """
    if patches.ndim != 4 or 0 in patches.shape[1:]:
        raise ValueError(f"patches must be (n, channel, row, column), got {patches.shape}")
    n, channels, rows, columns = patches.shape
    values = np.ascontiguousarray(patches, np.float32).reshape(n * channels, rows * columns)
    moments = np.empty((len(values), 4), np.float64)
    keys = np.empty((len(values), 4), np.int32)
    _describe(values, values.view(np.int32), moments, keys)
    _refuse_nonfinite(
        values.reshape(patches.shape), keys[:, 0].min(initial=0), keys[:, 1].max(initial=0)
    )
    low, high, below, above = _to_values(keys).T
    mean, variance, third, fourth = moments.T
    constant = low == high
    spread = np.where(constant, 1.0, variance)
    # float64 holds the sum of two float32 without overflow; rounding it once is what float32 does
    median = ((below.astype(np.float64) + above) / 2).astype(np.float32)
    table = {
        "mean": np.where(constant, low, mean),
        "median": median,
        "min": low,
        "max": high,
        "std": np.where(constant, 0.0, np.sqrt(spread)),
        "skew": np.where(constant, 0.0, third / spread**1.5),
        "kurtosis": np.where(constant, 0.0, fourth / spread**2 - 3),
    }
    return np.stack([table[name] for name in STATISTICS], axis=-1).reshape(
        n, channels, len(STATISTICS)
    )


def write_statistics(store: Path, target: Path, *, threads: int) -> None:
    """Write the statistics of a store's patches as a table with a row for each.

    Parameters
    ----------
    store
        A patch store; there may be no patch.
    target
        Parquet: id, then {channel}_{statistic} for every channel and statistic.
    threads
        The number that compute; the result does not depend on it.

    Raises
    ------
    InputError
        The store is damaged.
    """
    with open_store(store) as patches, ThreadPoolExecutor(threads) as pool:
        width = len(patches.channels) * len(STATISTICS)
        columns = feature_columns(patches.channels, STATISTICS)

        def block(start: int) -> NDArray[np.float64]:
            rows = np.arange(start, min(start + _BLOCK, len(patches)))
            return patch_statistics(patches.read(rows)).reshape(-1, width)

        def tables() -> Iterator[pd.DataFrame]:
            for first in range(0, max(len(patches), 1), _ROWS):
                rows = range(first, min(first + _ROWS, len(patches)))
                blocks = list(pool.map(block, rows[::_BLOCK]))
                table = pd.DataFrame(
                    np.concatenate([np.empty((0, width)), *blocks]), columns=columns
                )
                table.insert(0, "id", pd.Series(patches.ids[rows.start : rows.stop], dtype="str"))
                yield table

        write_blocks(target, tables())


@compiled
def _describe(
    values: NDArray[np.float32],
    bits: NDArray[np.int32],
    moments: NDArray[np.float64],
    keys: NDArray[np.int32],
) -> None:
    """Fill moments (image, 4) and keys (image, 4: min, max, the two middle) of (image, pixel)."""
    pixels = values.shape[1]
    image = np.empty(pixels, np.int32)
    scratch = np.empty(pixels, np.int32)
    counts = np.empty(_BUCKETS, np.int32)
    for i in range(values.shape[0]):
        low, high = _to_keys(bits[i], image)
        keys[i, 0] = low
        keys[i, 1] = high
        _central_moments(values[i], moments[i])
        lower = _select(image, low, high, (pixels - 1) // 2, scratch, counts)
        upper = lower
        if pixels % 2 == 0:
            not_above, following = _look_above(image, lower)
            if not_above == pixels // 2:
                upper = following
        keys[i, 2] = lower
        keys[i, 3] = upper


@compiled
def _central_moments(values: NDArray[np.float32], moments: NDArray[np.float64]) -> None:
    """Mean and second to fourth central moment, in float64."""
    n = values.size
    # Sums side by side keep the processor busy; which pixel goes into which is fixed here, so that
    # no compiler chooses, and every process finds the same bits.
    sums = np.zeros((5, _LANES))
    whole = n - n % _LANES
    for start in range(0, whole, _LANES):
        for lane in range(_LANES):
            sums[0, lane] += np.float64(values[start + lane])
    for i in range(whole, n):
        sums[0, i - whole] += np.float64(values[i])
    total = 0.0
    for lane in range(_LANES):
        total += sums[0, lane]
    mean = total / n
    for start in range(0, whole, _LANES):
        for lane in range(_LANES):
            deviation = np.float64(values[start + lane]) - mean
            square = deviation * deviation
            sums[1, lane] += deviation
            sums[2, lane] += square
            sums[3, lane] += square * deviation
            sums[4, lane] += square * square
    for i in range(whole, n):
        deviation = np.float64(values[i]) - mean
        square = deviation * deviation
        sums[1, i - whole] += deviation
        sums[2, i - whole] += square
        sums[3, i - whole] += square * deviation
        sums[4, i - whole] += square * square
    first = second = third = fourth = 0.0
    for lane in range(_LANES):
        first += sums[1, lane]
        second += sums[2, lane]
        third += sums[3, lane]
        fourth += sums[4, lane]
    # The rounded mean misses the true one by `shift`; without it skew is noise where the mean is
    # 1e8 times the spread.
    shift = first / n
    second /= n
    third /= n
    fourth /= n
    moments[0] = mean + shift
    moments[1] = second - shift * shift
    moments[2] = third - shift * (3 * second - 2 * shift * shift)
    moments[3] = fourth - shift * (4 * third - shift * (6 * second - 3 * shift * shift))


def _to_values(keys: NDArray[np.int32]) -> NDArray[np.float32]:
    """The floats of keys of any shape; -0.0 comes just before 0.0.

    The bits of a positive float are its key: sign and magnitude. Below zero the magnitude is
    mirrored. Infinity and NaN have keys outside those of everything finite.
    """
    bits: NDArray[np.int32] = keys ^ ((keys >> 31) & _MIRROR)
    return bits.view(np.float32)


def _refuse_nonfinite(patches: NDArray[np.float32], least: np.int32, greatest: np.int32) -> None:
    """Refuse patches whose least or greatest key belongs to no finite value."""
    if np.isfinite(_to_values(np.array([least, greatest]))).all():
        return
    patch, channel, row, column = (int(i) for i in np.argwhere(~np.isfinite(patches))[0])
    value = patches[patch, channel, row, column]
    raise ValueError(
        f"patch {patch}, channel {channel}, row {row}, column {column} is {value}; "
        "statistics need finite pixels (data.on_nonfinite: fill)"
    )


@compiled
def _to_keys(bits: NDArray[np.int32], keys: NDArray[np.int32]) -> tuple[np.int32, np.int32]:
    """Fill keys that sort like the floats with these bits; return the least and the greatest."""
    low = np.int32(2147483647)
    high = np.int32(-2147483648)
    for i in range(bits.size):
        key = bits[i] ^ ((bits[i] >> np.int32(31)) & np.int32(0x7FFFFFFF))
        keys[i] = key
        low = min(low, key)
        high = max(high, key)
    return low, high


@compiled
def _select(
    keys: NDArray[np.int32],
    low: np.int32,
    high: np.int32,
    rank: int,
    scratch: NDArray[np.int32],
    counts: NDArray[np.int32],
) -> np.int32:
    """Key that would stand at `rank` if keys, all within [low, high], were sorted."""
    source = keys
    size = keys.size
    while low != high and size > _FEW:
        shift = 0
        while ((np.int64(high) - np.int64(low)) >> shift) >= _BUCKETS:
            shift += 1
        shift_bits = np.uint32(shift)
        counts[:] = 0
        for i in range(size):
            counts[np.uint32(source[i] - low) >> shift_bits] += 1
        bucket = 0
        while counts[bucket] <= rank:
            rank -= counts[bucket]
            bucket += 1
        # every key is written, the place moves on only behind those of the bucket: no branch
        kept = 0
        for i in range(size):
            key = source[i]
            scratch[kept] = key
            kept += (np.uint32(key - low) >> shift_bits) == np.uint32(bucket)
        source = scratch
        size = kept
        start = np.int64(low) + (np.int64(bucket) << shift)
        low = np.int32(start)
        high = np.int32(min(np.int64(high), start + (np.int64(1) << shift) - 1))
    if low == high:
        return low
    for i in range(size):
        scratch[i] = source[i]
    for i in range(1, size):
        key = scratch[i]
        j = i
        while j > 0 and scratch[j - 1] > key:
            scratch[j] = scratch[j - 1]
            j -= 1
        scratch[j] = key
    return np.int32(scratch[rank])


@compiled
def _look_above(keys: NDArray[np.int32], key: np.int32) -> tuple[int, np.int32]:
    """How many keys are not above `key`, and the least of those above."""
    not_above = 0
    following = np.int32(2147483647)
    for i in range(keys.size):
        above = keys[i] > key
        not_above += not above
        following = min(following, keys[i] if above else np.int32(2147483647))
    return not_above, following
