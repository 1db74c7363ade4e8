"""Networks asked once more about held-out patches: with fewer sensors, or with rounded weights."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from landslip.data.folds import read_folds
from landslip.data.sensors import missing_channels, sensors_of
from landslip.data.store import open_store_of
from landslip.ensemble.sensors import partial_column, rounded_column, subsets
from landslip.io.files import write_parquet
from landslip.models.device import usable_device
from landslip.models.network_files import round_weights
from landslip.models.precision import read_processor
from landslip.models.predict_network import BLOCK, load_networks


def predict_held_out(
    *,
    model: str,
    descriptions: Sequence[Path],
    store: Path,
    folds: Path,
    sensor: Mapping[str, str],
    indices: Mapping[str, Sequence[str]],
    fewer: bool,
    rounded: bool,
    processor: Path,
    device: str,
    threads: int,
    target: Path,
) -> None:
    """Write what a network says of the patches that each fold held out.

    Parameters
    ----------
    model
        Its name.
    descriptions
        model.json of every fold, in order; weights beside it.
    store
        The training patches.
    folds
        folds.parquet, whose patches these are.
    sensor
        Channel of the patches -> its sensor.
    indices
        Index -> its two channels.
    fewer
        With every choice of sensors but all, as a network trained with modality dropout can.
    rounded
        With weights rounded to bfloat16.
    processor
        As in the trainings.
    device, threads
        As of `landslip.models.predict_network.load_networks`.
    target
        parquet: id, and a column for each: `model@sensor+sensor`, `model~bfloat16`.

    Raises
    ------
    InputError
        A file is damaged or of other patches; a GPU is asked for and cannot be used.
    """
    place = usable_device(device)
    split, digest = read_folds(folds)
    own = [np.flatnonzero((split["fold"] == fold).to_numpy()) for fold in range(len(descriptions))]
    read = load_networks(
        model,
        descriptions,
        folds=len(own),
        device=place,
        processor=read_processor(processor),
        threads=threads,
    )
    present = sensors_of(read.stack, sensor, indices)
    asked = [chosen for chosen in subsets(present) if len(chosen) < len(present)] if fewer else []
    columns = {partial_column(model, chosen): np.empty(len(split)) for chosen in asked}
    if rounded:
        columns[rounded_column(model)] = np.empty(len(split))
    with open_store_of(store, split["id"]) as opened:
        for fold, rows in enumerate(own):
            alone = read.only(fold)
            blocks = [rows[at : at + BLOCK] for at in range(0, len(rows), BLOCK)]
            for block in blocks:
                patches = torch.from_numpy(opened.read(block, read.stack))
                for chosen in asked:
                    absent = missing_channels(
                        read.stack, set(present) - set(chosen), sensor, indices
                    )
                    columns[partial_column(model, chosen)][block] = alone.predict(patches, absent)
            if rounded:
                round_weights(alone.folds[0].network)
                for block in blocks:
                    patches = torch.from_numpy(opened.read(block, read.stack))
                    columns[rounded_column(model)][block] = alone.predict(patches)
    frame = pd.DataFrame({"id": split["id"], **columns})
    write_parquet(target, frame, {"split_digest": digest, "model": model})
