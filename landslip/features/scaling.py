"""Mean, standard deviation and exact quantiles of every channel, by which networks are scaled."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from landslip.data.store import PatchStore, open_store
from landslip.features.counting import LowerCounts, UpperCounts, find_ranks, scaling_parameters
from landslip.features.scales import COLUMNS
from landslip.files import InputError, write_parquet

# Bytes of patches that a thread holds at once.
_BLOCK_BYTES = 1 << 22

Blocks = Callable[[], Iterable[NDArray[np.float32]]]
Part = tuple[PatchStore, NDArray[np.int64]]
"""An open store, and the rows that count."""


def channel_scaling(
    blocks: Blocks, origins: NDArray[np.float64] | None = None
) -> NDArray[np.float64]:
    """Mean, standard deviation and quantiles of every channel, over all pixels of all patches.

    Parameters
    ----------
    blocks
        Gives the patches (n, channel, row, column), finite, a block at a time, from the first
        each time that it is called: it is called twice.
    origins : (channel,)
        See `landslip.features.counting.UpperCounts`; None: the means of the first image.

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
    """
    upper: UpperCounts | None = None
    for block in blocks():
        if upper is None:
            upper = UpperCounts(means_of(block[:1]) if origins is None else origins)
        upper.add(block)
    if upper is None:
        raise ValueError("there is no patch to fit scaling parameters on")
    ranks = find_ranks(upper)
    lower = LowerCounts(ranks.wanted)
    for block in blocks():
        lower.add(block)
    return scaling_parameters(ranks, lower)


def write_scaling(
    target: Path,
    sources: Sequence[tuple[Path, NDArray[np.int64] | None]],
    *,
    fit: str,
    threads: int,
) -> None:
    """Write the scaling parameters of every channel, all in this process.

    Parameters
    ----------
    target
        Parquet: channel, then COLUMNS; `fit` in the metadata.
    sources
        Stores, and the rows of each that count (None: all).
    fit
        Which patches these are: all, train or fold.
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
            parts.append((store, np.arange(len(store)) if rows is None else rows))
        channels = parts[0][0].channels
        for store, _ in parts[1:]:
            if store.channels != channels:
                raise InputError(
                    f"{store.path} holds {', '.join(store.channels)}; {parts[0][0].path} holds "
                    f"{', '.join(channels)}. Delete the older one and run again"
                )
        origins = dict(zip(channels, first_means(parts[0][0]), strict=True))

        def parameters(share: list[str]) -> NDArray[np.float64]:
            chosen = np.array([origins[name] for name in share])
            return channel_scaling(read_blocks(parts, share), chosen)

        with ThreadPoolExecutor(threads) as pool:
            found = list(pool.map(parameters, shares_of(channels, threads)))
    write_table(target, channels, np.concatenate(found), fit)


def write_table(
    target: Path, channels: Sequence[str], values: NDArray[np.float64], fit: str
) -> None:
    """Write scaling parameters (channel, 7), and which patches they are of."""
    table = pd.DataFrame(values, columns=list(COLUMNS))
    table.insert(0, "channel", list(channels))
    write_parquet(target, table, {"fit": fit})


def shares_of(channels: Sequence[str], threads: int) -> list[list[str]]:
    """Neighbouring channels for each of at most so many threads."""
    shares = np.array_split(np.array(channels, object), min(threads, len(channels)))
    return [share.tolist() for share in shares]


def means_of(patches: NDArray[np.float32]) -> NDArray[np.float64]:
    """(channel,) of patches (n, channel, row, column)."""
    return np.asarray(patches.mean(axis=(0, 2, 3), dtype=np.float64))


def first_means(store: PatchStore) -> NDArray[np.float64]:
    """(channel,) of a store's first patch; of none, 0."""
    if not len(store):
        return np.zeros(len(store.channels))
    return means_of(store.read(np.arange(1)))


def read_blocks(parts: Sequence[Part], channels: Sequence[str]) -> Blocks:
    """Blocks of some channels, verified when they are first read; each overwrites the last."""
    verified = False

    def blocks() -> Iterator[NDArray[np.float32]]:
        nonlocal verified
        for store, rows in parts:
            size = 4 * len(channels) * store.shape[2] * store.shape[3]
            step = max(1, _BLOCK_BYTES // max(size, 1))
            # new memory for each block costs more than what is computed in it
            memory = np.empty((step, len(channels), *store.shape[2:]), np.float32)
            for start in range(0, len(rows), step):
                some = rows[start : start + step]
                yield store.read(some, channels, verify=not verified, out=memory[: len(some)])
        verified = True

    return blocks
