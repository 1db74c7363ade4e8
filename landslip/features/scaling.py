"""Mean, standard deviation and quantiles of every channel, by which networks are scaled."""

import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from math import fsum, sqrt
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from landslip.data.store import PatchStore, open_store
from landslip.features.compiled import compiled
from landslip.features.scales import COLUMNS, QUANTILES
from landslip.io.files import InputError, write_parquet

# Pixels that are summed one by one; the sums of blocks are added without a loss of digits.
_BLOCK = 1 << 16
# Upper 16 bits, those of the least value first; negative values have the greater bits.
_ASCENDING = np.concatenate([np.arange(0xFFFF, 0x7FFF, -1), np.arange(0x8000)])
# Upper bits, without the sign, from which on a float32 is infinite or no number.
_INFINITE = 0x7F80

_Part = tuple[PatchStore, NDArray[np.int64]]
"""An open store, and the rows that count."""


def channel_scaling(values: NDArray[np.float32]) -> NDArray[np.float64]:
    """Mean, standard deviation and quantiles of all pixels of one channel.

    Parameters
    ----------
    values : (n, row, column)
        Finite, in the channel's unit.

    Returns
    -------
    (7,), in the order of COLUMNS, in the channel's unit
        The quantiles are exactly those of `np.quantile(values.astype(np.float64), q)`, linear
        interpolation. The std of a constant channel is 0.

    Raises
    ------
    ValueError
        There is no pixel, or one is NaN or infinite; the message names its position.
    """
    if not values.size:
        raise ValueError("there is no patch to fit scaling parameters on")
    pixels = values.reshape(-1)
    counts, sums = _count_upper(pixels, pixels.view(np.uint32))
    # Signs apart, the upper bits of what is infinite or no number are the greatest.
    if counts.reshape(2, -1)[:, _INFINITE:].any():
        patch, row, column = (int(i) for i in np.argwhere(~np.isfinite(values))[0])
        raise ValueError(
            f"patch {patch}, row {row}, column {column} is {values[patch, row, column]}; "
            "scaling needs finite pixels (data.on_nonfinite: fill)"
        )
    if np.count_nonzero(counts) == 1 and pixels.min() == pixels.max():
        return np.array([pixels[0], 0, *[pixels[0]] * len(QUANTILES)], np.float64)
    mean = fsum(sums) / pixels.size
    positions = (pixels.size - 1) * np.array(list(QUANTILES.values()))
    lower = np.floor(positions).astype(np.int64)
    ranks = np.stack([lower, lower + 1])
    (below, above), variance = _order_statistics_and_variance(pixels, ranks, counts, mean)
    fraction = positions - lower
    step = above - below
    # Rounded as `np.quantile` rounds: from the nearer end.
    quantiles = np.where(fraction < 0.5, below + step * fraction, above - step * (1 - fraction))
    return np.array([mean, sqrt(variance), *quantiles])


def write_scaling(
    target: Path,
    sources: Sequence[tuple[Path, NDArray[np.int64] | None]],
    *,
    fit: str,
    max_patches: int,
    seed: int,
    threads: int,
) -> None:
    """Write the scaling parameters of every channel, of all patches or of a sample of them.

    The result depends neither on how the stores are cut into shards nor on `threads`.

    Parameters
    ----------
    target
        Parquet: channel, then COLUMNS. The metadata hold `fit`; `patches`, how many there are;
        `sampled`, how many were read; and `level_error`, what `level_errors` says, as JSON.
    sources
        Stores, and the rows of each that count (None: all).
    fit
        Which patches these are: all, train or fold.
    max_patches
        Where there are more, mean, std and quantiles are those of so many, drawn at random
        without replacement from all of them together. A thread holds one channel of these.
    seed
        Of the sample.
    threads
        How many channels are computed at once.

    Raises
    ------
    InputError
        A store is damaged, or the stores have different channels.
    ValueError
        As `channel_scaling` does.
    """
    with ExitStack() as stack:
        parts: list[_Part] = []
        for path, rows in sources:
            store = stack.enter_context(open_store(path))
            parts.append((store, np.arange(len(store)) if rows is None else rows))
        channels = parts[0][0].channels
        for store, _ in parts[1:]:
            if store.channels != channels:
                raise InputError(
                    f"{store.path} holds {', '.join(store.channels)}; {parts[0][0].path} holds "
                    f"{', '.join(channels)}. Delete the older one and run again"
                )
        patches = sum(len(rows) for _, rows in parts)
        parts = _sample(parts, max_patches, seed)
        sampled = sum(len(rows) for _, rows in parts)

        def parameters(share: Sequence[str]) -> list[NDArray[np.float64]]:
            return [channel_scaling(values) for values in _read(parts, share)]

        shares = [channels[first::threads] for first in range(min(threads, len(channels)))]
        with ThreadPoolExecutor(threads) as pool:
            found = dict(
                pair
                for share, values in zip(shares, pool.map(parameters, shares), strict=True)
                for pair in zip(share, values, strict=True)
            )
    table = pd.DataFrame([found[name] for name in channels], columns=list(COLUMNS))
    table.insert(0, "channel", channels)
    errors = json.dumps(level_errors(patches, sampled))
    write_parquet(
        target,
        table,
        {"fit": fit, "patches": str(patches), "sampled": str(sampled), "level_error": errors},
    )


def level_errors(patches: int, sampled: int) -> dict[str, float]:
    """Bound the standard errors of the levels of a sample's quantiles.

    Parameters
    ----------
    patches, sampled
        How many there are, and how many of them were drawn, without replacement.

    Returns
    -------
    dict
        For each of QUANTILES. 0.001 for q05 says: the value called the 5 % quantile has a share
        of pixels below it in all patches with a standard error of at most 0.1 %. It is 0 where
        all patches were read.

    Notes
    -----
    Pixels of a patch resemble each other, so it is patches that count. The share of pixels below
    a value is the mean over patches of a number between 0 and 1 with mean q, whose variance is
    q (1 - q) at most: where each patch lies wholly below the value or wholly above it.
    """
    if sampled == patches:
        return dict.fromkeys(QUANTILES, 0.0)
    finite = (patches - sampled) / (patches - 1)
    return {name: sqrt(q * (1 - q) / sampled * finite) for name, q in QUANTILES.items()}


def _sample(parts: Sequence[_Part], most: int, seed: int) -> list[_Part]:
    """At most so many rows of all parts together, ascending within each."""
    sizes = [len(rows) for _, rows in parts]
    total = sum(sizes)
    if total <= most:
        return list(parts)
    drawn = np.sort(np.random.default_rng(seed).choice(total, most, replace=False, shuffle=False))
    ends = np.cumsum(sizes)
    return [
        (store, rows[drawn[(drawn >= end - len(rows)) & (drawn < end)] - (end - len(rows))])
        for (store, rows), end in zip(parts, ends, strict=True)
    ]


def _read(parts: Sequence[_Part], channels: Sequence[str]) -> Iterator[NDArray[np.float32]]:
    """Each channel (n, row, column) of all parts, verified; it overwrites the one before."""
    store, _ = parts[0]
    memory = np.empty((sum(len(rows) for _, rows in parts), 1, *store.shape[2:]), np.float32)
    for channel in channels:
        start = 0
        for store, rows in parts:
            store.read(rows, [channel], out=memory[start : start + len(rows)])
            start += len(rows)
        yield memory[:, 0]


def _order_statistics_and_variance(
    pixels: NDArray[np.float32], ranks: NDArray[np.int64], counts: NDArray[np.int64], mean: float
) -> tuple[NDArray[np.float64], float]:
    """The values of these ranks, counted from 0, of the same shape; and the variance.

    Pixels are counted by their upper 16 bits (`counts`), and those whose upper bits are those of a
    value wanted by their lower 16: a twentieth of the time of np.quantile, which selects. The same
    pass sums the squares, for reading the channel is most of its cost.
    """
    upto = np.cumsum(counts[_ASCENDING])
    place = np.searchsorted(upto, ranks, side="right")
    ranks_inside = ranks - (upto[place] - counts[_ASCENDING[place]])
    wanted, row = np.unique(_ASCENDING[place], return_inverse=True)
    rows = np.full(1 << 16, -1, np.int8)
    rows[wanted] = np.arange(len(wanted))
    inside, squares = _count_lower(pixels, pixels.view(np.uint32), rows, len(wanted), mean)
    # Of negative values, those with the greater bits are the lesser.
    negative = wanted >= 1 << 15
    inside[negative] = inside[negative, ::-1]
    upto_inside = np.cumsum(inside, axis=1)
    lower = np.array(
        [
            np.searchsorted(upto_inside[i], rank, side="right")
            for i, rank in zip(row.ravel(), ranks_inside.ravel(), strict=True)
        ]
    )
    lower = np.where(negative[row.ravel()], 0xFFFF - lower, lower)
    bits = ((wanted[row.ravel()] << 16) + lower).astype(np.uint32)
    values = bits.view(np.float32).astype(np.float64)
    return values.reshape(ranks.shape), fsum(squares) / pixels.size


@compiled
def _count_upper(
    pixels: NDArray[np.float32], bits: NDArray[np.uint32]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Count pixels by their upper 16 bits, and sum each block of them.

    Four neighbours are counted apart, for mostly they are alike, and would wait for one another.
    """
    counts = np.zeros((4, 1 << 16), np.int64)
    blocks = (pixels.shape[0] + _BLOCK - 1) // _BLOCK
    sums = np.zeros(blocks)
    for block in range(blocks):
        start = block * _BLOCK
        stop = min(start + _BLOCK, pixels.shape[0])
        fours = start + (stop - start) // 4 * 4
        a = b = c = d = 0.0
        for j in range(start, fours, 4):
            a += pixels[j]
            b += pixels[j + 1]
            c += pixels[j + 2]
            d += pixels[j + 3]
            counts[0, bits[j] >> 16] += 1
            counts[1, bits[j + 1] >> 16] += 1
            counts[2, bits[j + 2] >> 16] += 1
            counts[3, bits[j + 3] >> 16] += 1
        for j in range(fours, stop):
            a += pixels[j]
            counts[0, bits[j] >> 16] += 1
        sums[block] = (a + b) + (c + d)
    return counts.sum(axis=0), sums


@compiled
def _count_lower(
    pixels: NDArray[np.float32], bits: NDArray[np.uint32], rows: NDArray[np.int8], n: int,
    mean: float,
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:  # fmt: skip
    """Count pixels by their lower 16 bits, and sum each block's squared distances to the mean.

    A pixel is counted in the row that its upper bits have, of `n`; -1: in none.
    """
    counts = np.zeros((n, 1 << 16), np.int64)
    blocks = (pixels.shape[0] + _BLOCK - 1) // _BLOCK
    sums = np.zeros(blocks)
    for block in range(blocks):
        start = block * _BLOCK
        stop = min(start + _BLOCK, pixels.shape[0])
        fours = start + (stop - start) // 4 * 4
        a = b = c = d = 0.0
        for j in range(start, fours, 4):
            a += (pixels[j] - mean) ** 2
            b += (pixels[j + 1] - mean) ** 2
            c += (pixels[j + 2] - mean) ** 2
            d += (pixels[j + 3] - mean) ** 2
        for j in range(fours, stop):
            a += (pixels[j] - mean) ** 2
        for j in range(start, stop):
            row = rows[bits[j] >> 16]
            if row >= 0:
                counts[row, bits[j] & 0xFFFF] += 1
        sums[block] = (a + b) + (c + d)
    return counts, sums
