"""One network on one fold, from files to files."""

import logging
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from landslip.config import Network, Training
from landslip.data.folds import read_folds
from landslip.data.store import read_ids, read_patches, store_shape
from landslip.features.scales import read_scaling, scale_and_shift
from landslip.files import InputError, write_parquet
from landslip.models.network import Architecture, MultiEncoder
from landslip.models.network_files import save_network
from landslip.models.precision import choose_precision
from landslip.models.prediction import predict_logits, sigmoid
from landslip.models.predictions import write_oof, write_test
from landslip.models.seeds import derive_seed
from landslip.models.training import LabelledPatches, train
from landslip.models.weights import verify_weights

log = logging.getLogger(__name__)

# Test patches read and predicted at once.
_BLOCK = 2048


def train_network(
    *,
    model: str,
    settings: Network,
    architecture: Architecture,
    fold: int,
    seed: int,
    device: str,
    threads: int,
    train_store: tuple[Path, str],
    test_store: tuple[Path, str],
    scaling: Path,
    folds: Path,
    pretrained: Mapping[str, Path],
    weights: Path,
    description: Path,
    oof: Path,
    test: Path,
    history: Path,
) -> None:
    """Train on the other folds, predict this one and the test patches, write all of it.

    Parameters
    ----------
    train_store, test_store
        Path of a store and the content digest it must have.
    pretrained
        timm name -> safetensors of its pretrained start.
    weights, description, oof, test, history
        Where the outputs go.

    Raises
    ------
    InputError
        The store is damaged or of other patches than the folds, or pretrained weights are.
    """
    torch.set_num_threads(threads)
    if device == "cuda" and not torch.cuda.is_available():
        raise InputError(
            "a GPU was asked for, but PyTorch cannot use one here (no driver, or a build for "
            "CPUs); run with --resources gpu=0, or mend the installation"
        )
    place = torch.device(device)
    precision = choose_precision(settings.training.precision, place)
    derived = derive_seed(seed, model, fold)
    table, digest = read_folds(folds)
    held_out = table["fold"].to_numpy() == fold
    for path in pretrained.values():
        verify_weights(path)
    shift, scale = scale_and_shift(read_scaling(scaling), architecture.stack, settings.scaling)
    # Before the model is built: its random parts derive from (seed, model, fold) too.
    torch.manual_seed(derived)
    network = MultiEncoder(
        architecture, shift=shift.tolist(), scale=scale.tolist(), weights=pretrained
    )
    log.info(
        "%s fold %d: %d training and %d validation patches, %.1f M parameters, %s in %s",
        model, fold, (~held_out).sum(), held_out.sum(),
        sum(parameter.numel() for parameter in network.parameters()) / 1e6, device, precision,
    )  # fmt: skip
    patches = _patches_of(table, train_store, architecture)
    labels = torch.from_numpy(table["label"].to_numpy(np.float32))
    training = LabelledPatches(patches[torch.from_numpy(~held_out)], labels[~held_out])
    validation = LabelledPatches(patches[torch.from_numpy(held_out)], labels[held_out])
    del patches
    curve = train(
        network,
        training,
        validation,
        settings.training,
        seed=derived,
        device=place,
        precision=precision,
    )
    oof_probability = _predict(network, validation.patches, settings.training, precision, place)
    test_ids, test_probability = _predict_test(
        network, test_store, settings.training, precision, place
    )
    facts = {
        "model": model,
        "fold": fold,
        "seed": derived,
        "precision": precision,
        "tta": settings.training.tta,
        "split_digest": digest,
        "settings": settings.model_dump(mode="json"),
        "versions": {"torch": torch.__version__.split("+")[0]},
    }
    save_network(network, weights=weights, description=description, facts=facts)
    write_oof(
        oof,
        ids=table["id"][held_out].tolist(),
        fold=fold,
        labels=table["label"].to_numpy()[held_out],
        probability=oof_probability,
        split_digest=digest,
        model=model,
    )
    write_test(test, ids=test_ids, probability=test_probability, split_digest=digest, model=model)
    write_parquet(history, pd.DataFrame([asdict(epoch) for epoch in curve]))


def _patches_of(
    table: pd.DataFrame, store: tuple[Path, str], architecture: Architecture
) -> torch.Tensor:
    """Patches of the folds' ids, in their order, channels as the network reads them."""
    path, digest = store
    ids = read_ids(path)
    if ids != table["id"].tolist():
        raise InputError(
            f"{path} holds other patches than the folds ({len(ids)} against {len(table)}); "
            "delete both and run again"
        )
    return torch.from_numpy(read_patches(path, channels=architecture.stack, digest=digest))


def _predict(
    network: MultiEncoder,
    patches: torch.Tensor,
    training: Training,
    precision: str,
    device: torch.device,
) -> NDArray[np.float64]:
    return sigmoid(
        predict_logits(network, patches, tta=training.tta, precision=precision, device=device)
    )


def _predict_test(
    network: MultiEncoder,
    store: tuple[Path, str],
    training: Training,
    precision: str,
    device: torch.device,
) -> tuple[list[str], NDArray[np.float64]]:
    """Probabilities of the test patches, a block of the store at a time."""
    path, digest = store
    channels = network.architecture.stack
    blocks = [
        np.arange(start, min(start + _BLOCK, store_shape(path)[0]))
        for start in range(0, store_shape(path)[0], _BLOCK)
    ]
    predicted = [
        _predict(
            network,
            torch.from_numpy(read_patches(path, channels=channels, rows=rows, digest=digest)),
            training,
            precision,
            device,
        )
        for rows in blocks
    ]
    return read_ids(path), np.concatenate(predicted) if predicted else np.empty(0)
