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
from landslip.features.keys import keys_to_values
from landslip.features.scales import COLUMNS, QUANTILES
from landslip.io.files import InputError, write_parquet

# Images whose deviations are in memory at once, beside the channel itself.
_BLOCK = 16

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
    low, high = values.min(), values.max()
    if not (np.isfinite(low) and np.isfinite(high)):
        patch, row, column = (int(i) for i in np.argwhere(~np.isfinite(values))[0])
        raise ValueError(
            f"patch {patch}, row {row}, column {column} is {values[patch, row, column]}; "
            "scaling needs finite pixels (data.on_nonfinite: fill)"
        )
    if low == high:
        return np.array([low, 0, *[low] * len(QUANTILES)], np.float64)
    positions = (values.size - 1) * np.array(list(QUANTILES.values()))
    lower = np.floor(positions).astype(np.int64)
    below, above = _order_statistics(values, np.stack([lower, lower + 1]))
    fraction = positions - lower
    step = above - below
    # Rounded as `np.quantile` rounds: from the nearer end.
    quantiles = np.where(fraction < 0.5, below + step * fraction, above - step * (1 - fraction))
    return np.array([*_moments(values), *quantiles])


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


def _moments(values: NDArray[np.float32]) -> tuple[float, float]:
    """Mean and standard deviation, from two passes in float64."""
    blocks = [values[start : start + _BLOCK] for start in range(0, len(values), _BLOCK)]
    mean = fsum(block.sum(dtype=np.float64) for block in blocks) / values.size
    squares = np.empty(blocks[0].shape)

    def sum_of_squares(block: NDArray[np.float32]) -> float:
        buffer = squares[: len(block)]
        np.subtract(block, mean, out=buffer, dtype=np.float64)
        np.square(buffer, out=buffer)
        return float(buffer.sum())

    return mean, sqrt(fsum(map(sum_of_squares, blocks)) / values.size)


def _order_statistics(values: NDArray[np.float32], ranks: NDArray[np.int64]) -> NDArray[np.float64]:
    """The values of these ranks, counted from 0; in float64, of the same shape.

    Keys that sort like the values are counted by their upper 16 bits, and those whose upper bits
    are those of a value wanted by their lower 16: a twentieth of the time of np.quantile, which
    selects.
    """
    bits = values.reshape(-1).view(np.int32)
    counts = np.zeros(1 << 16, np.int64)
    _count_upper(bits, counts)
    upto = np.cumsum(counts)
    upper = np.searchsorted(upto, ranks, side="right")
    ranks_inside = ranks - (upto[upper] - counts[upper])
    wanted, row = np.unique(upper, return_inverse=True)
    rows = np.full(1 << 16, -1, np.int8)
    rows[wanted] = np.arange(len(wanted))
    counts_inside = np.zeros((len(wanted), 1 << 16), np.int64)
    _count_lower(bits, rows, counts_inside)
    upto_inside = np.cumsum(counts_inside, axis=1)
    lower = [
        np.searchsorted(upto_inside[i], rank, side="right")
        for i, rank in zip(row.ravel(), ranks_inside.ravel(), strict=True)
    ]
    keys = (upper << 16) + np.reshape(lower, upper.shape) - (1 << 31)
    return keys_to_values(keys.astype(np.int32)).astype(np.float64)


@compiled()
def _count_upper(bits: NDArray[np.int32], counts: NDArray[np.int64]) -> None:
    """Count keys by their upper 16 bits, from the least on."""
    for j in range(bits.shape[0]):
        bit = bits[j]
        key = bit ^ ((bit >> np.int32(31)) & np.int32(0x7FFFFFFF))
        counts[(key >> np.int32(16)) + np.int32(1 << 15)] += 1


@compiled()
def _count_lower(
    bits: NDArray[np.int32], rows: NDArray[np.int8], counts: NDArray[np.int64]
) -> None:
    """Count keys by their lower 16 bits, in the row that their upper bits have; -1: in none."""
    for j in range(bits.shape[0]):
        bit = bits[j]
        key = bit ^ ((bit >> np.int32(31)) & np.int32(0x7FFFFFFF))
        row = rows[(key >> np.int32(16)) + np.int32(1 << 15)]
        if row >= 0:
            counts[row, key & np.int32(0xFFFF)] += 1
