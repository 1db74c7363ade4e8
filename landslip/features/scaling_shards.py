"""Scaling parameters of many shards: both passes shared out among jobs, and gathered."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from landslip.data.folds import read_folds
from landslip.data.store import open_store
from landslip.features.counting import (
    LowerCounts,
    Ranks,
    UpperCounts,
    find_ranks,
    scaling_parameters,
)
from landslip.features.scaling import Part, first_means, read_blocks, shares_of, write_table
from landslip.files import InputError, read_arrays, write_arrays

# Of the first pass over a shard.
_COUNTED = (
    "channels", "pixels", "origins", "sums", "extremes", "lengths", "bins", "counts",
)  # fmt: skip


def count_upper(
    shard: Path,
    first: Path,
    target: Path,
    *,
    leave_out: Path | None,
    fold: int | None,
    threads: int,
) -> None:
    """First pass over one shard.

    Parameters
    ----------
    shard, first
        This shard's store, and that of the first shard of all: both hold all channels.
    target
        What `UpperCounts` counts, as .npz.
    leave_out, fold
        folds.parquet, and the fold whose patches do not count; None: all do.
    threads
        The number that compute, each on its own channels; the result does not depend on it.

    Raises
    ------
    InputError
        A store is damaged, or the two have different channels.
    """
    with open_store(first) as opened:
        channels, origins = opened.channels, first_means(opened)
    with _part(shard, channels, leave_out, fold) as part:

        def count(share: list[str]) -> UpperCounts:
            chosen = [channels.index(name) for name in share]
            counts = UpperCounts(origins[chosen])
            for block in read_blocks([part], share)():
                counts.add(block)
            return counts

        with ThreadPoolExecutor(threads) as pool:
            found = list(pool.map(count, shares_of(channels, threads)))
    counts = [channel for part_ in found for channel in part_.counts]
    filled = [np.flatnonzero(channel) for channel in counts]
    write_arrays(
        target,
        channels=np.array(channels, np.str_),
        pixels=np.array(found[0].pixels),
        origins=origins,
        sums=np.concatenate([part_.sums for part_ in found]),
        extremes=np.concatenate([part_.extremes for part_ in found]),
        # most bins are empty
        lengths=np.array([len(bins) for bins in filled]),
        bins=np.concatenate(filled),
        counts=np.concatenate([c[bins] for c, bins in zip(counts, filled, strict=True)]),
    )


def gather_upper(parts: Sequence[Path], target: Path) -> None:
    """Add up the first passes of all shards, and say where the second has to look.

    Parameters
    ----------
    parts
        As `count_upper` writes them.
    target
        `Ranks`, as .npz.

    Raises
    ------
    InputError
        A part is damaged or of other channels, or there is no patch.
    """
    total: UpperCounts | None = None
    names: list[str] = []
    for path in parts:
        found = read_arrays(path, _COUNTED)
        channels = found["channels"].tolist()
        if total is None:
            total, names = UpperCounts(found["origins"]), channels
        if channels != names:
            raise InputError(
                f"{path} counts pixels of {', '.join(channels)}; expected {', '.join(names)}, as "
                f"{parts[0]}. Delete both and run again"
            )
        part = UpperCounts(found["origins"])
        part.pixels, part.sums, part.extremes = (
            int(found["pixels"]), found["sums"], found["extremes"],
        )  # fmt: skip
        ends = np.cumsum(found["lengths"])[:-1]
        places, numbers = np.split(found["bins"], ends), np.split(found["counts"], ends)
        for counts, bins, number in zip(part.counts, places, numbers, strict=True):
            counts[bins] = number
        total.merge(part)
    if total is None or total.pixels == 0:
        raise InputError(f"{target}: there is no patch to fit scaling parameters on")
    ranks = find_ranks(total)
    write_arrays(target, channels=np.array(names, np.str_), **vars(ranks))


def count_lower(
    shard: Path,
    ranks: Path,
    target: Path,
    *,
    leave_out: Path | None,
    fold: int | None,
    threads: int,
) -> None:
    """Second pass over one shard; see `count_upper`. `ranks` is what `gather_upper` writes."""
    channels, found = _read_ranks(ranks)
    with _part(shard, channels, leave_out, fold) as part:

        def count(share: list[str]) -> list[NDArray[np.int64]]:
            counts = LowerCounts([found.wanted[channels.index(name)] for name in share])
            for block in read_blocks([part], share)():
                counts.add(block)
            return counts.counts

        with ThreadPoolExecutor(threads) as pool:
            counted = list(pool.map(count, shares_of(channels, threads)))
    write_arrays(target, counts=np.concatenate([c for share in counted for c in share]))


def gather_lower(parts: Sequence[Path], ranks: Path, target: Path, *, fit: str) -> None:
    """Add up the second passes of all shards and write the scaling parameters.

    Parameters
    ----------
    parts, ranks
        As `count_lower` and `gather_upper` write them.
    target, fit
        See `landslip.features.scaling.write_scaling`.
    """
    channels, found = _read_ranks(ranks)
    total = LowerCounts(found.wanted)
    ends = np.cumsum([len(bins) for bins in found.wanted])
    for path in parts:
        counts = read_arrays(path, ["counts"])["counts"]
        if len(counts) != ends[-1]:
            raise InputError(
                f"{path} counts {len(counts)} bins; expected {ends[-1]}, as {ranks} says. "
                "Delete both and run again"
            )
        total.merge(np.split(counts, ends[:-1]))
    write_table(target, channels, scaling_parameters(found, total), fit)


@contextmanager
def _part(
    shard: Path, channels: Sequence[str], leave_out: Path | None, fold: int | None
) -> Iterator[Part]:
    """The open shard and its rows that count."""
    with open_store(shard) as store:
        if store.channels != list(channels):
            raise InputError(
                f"{shard} holds {', '.join(store.channels)}; expected {', '.join(channels)}. "
                "Delete it and run again"
            )
        rows = np.arange(len(store))
        if leave_out is not None:
            folds, _ = read_folds(leave_out)
            outside = folds.loc[folds["fold"] != fold, "id"]
            rows = rows[np.isin(np.array(store.ids), outside.to_numpy(dtype=np.str_))]
        yield store, rows


def _read_ranks(path: Path) -> tuple[list[str], Ranks]:
    found = read_arrays(path, ["channels", *(field.name for field in fields(Ranks))])
    channels = found.pop("channels").tolist()
    return channels, Ranks(**found)
