"""Predictions of a network that sees only some of its inputs, the others at their mean."""

from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from landslip.data.folds import read_folds
from landslip.data.store import open_store_of
from landslip.features.scales import read_scaling
from landslip.io.files import write_parquet
from landslip.models.device import usable_device
from landslip.models.precision import read_processor
from landslip.models.predict_network import BLOCK, load_networks

JOIN = "+"


def mask_inputs(
    *,
    model: str,
    descriptions: Sequence[Path],
    store: Path,
    scalings: Sequence[Path],
    folds: Path,
    parts: Mapping[str, Sequence[str]],
    processor: Path,
    device: str,
    threads: int,
    target: Path,
) -> None:
    """Write out-of-fold predictions for every set of inputs that the network may see.

    Parameters
    ----------
    model
        Its name, for messages and the file's metadata.
    descriptions, scalings
        model.json of every fold, and the scaling parameters it was trained with, in order. An
        input that is not seen has in every pixel its channels' means over the patches that the
        scaling was fitted on.
    store
        The training patches.
    folds
        folds.parquet.
    parts
        Input -> channels.
    processor
        As in the trainings.
    device
        cpu or cuda.
    threads
        Of the processor.
    target
        parquet: id, fold, label, and a column for every set: its inputs, joined by `+`; the
        column of none is called `none`.

    Raises
    ------
    InputError
        A file is damaged or of other patches; a GPU is asked for and cannot be used.
    """
    split, digest = read_folds(folds)
    networks = load_networks(
        model,
        descriptions,
        folds=split["fold"].nunique(),
        device=usable_device(device),
        processor=read_processor(processor),
        threads=threads,
    )
    stack, sets = networks.stack, subsets(list(parts))
    columns = {name_of(seen): np.empty(len(split)) for seen in sets}
    with open_store_of(store, split["id"]) as opened:
        for fold, scaling in enumerate(scalings):
            means = read_scaling(scaling).set_index("channel").loc[stack, "mean"]
            in_fold = np.flatnonzero((split["fold"] == fold).to_numpy())
            for start in range(0, len(in_fold), BLOCK):
                rows = in_fold[start : start + BLOCK]
                patches = opened.read(rows, stack)
                for seen in sets:
                    channels = {channel for part in seen for channel in parts[part]}
                    masked = mask(patches, stack, channels, means.to_numpy(np.float32))
                    alone = networks.only(fold).predict(torch.from_numpy(masked))
                    columns[name_of(seen)][rows] = alone
    frame = pd.concat([split[["id", "fold", "label"]], pd.DataFrame(columns)], axis=1)
    write_parquet(target, frame, {"split_digest": digest, "model": model})


def mask(
    patches: NDArray[np.float32],
    stack: Sequence[str],
    seen: set[str],
    means: NDArray[np.float32],
) -> NDArray[np.float32]:
    """Patches (n, channel, row, column) whose unseen channels have their mean in every pixel.

    Parameters
    ----------
    patches : (n, channel, row, column)
        In the store's units.
    stack : (channel,)
        Names.
    seen
        Names of the channels that stay.
    means : (channel,)
        In the store's units.
    """
    masked = patches.copy()
    for number, channel in enumerate(stack):
        if channel not in seen:
            masked[:, number] = means[number]
    return masked


def subsets(names: Sequence[str]) -> list[tuple[str, ...]]:
    """All subsets, each in the order of `names`, the empty one first."""
    return [chosen for size in range(len(names) + 1) for chosen in combinations(names, size)]


def name_of(seen: Sequence[str]) -> str:
    """Column of the predictions that see these inputs."""
    return JOIN.join(seen) or "none"
