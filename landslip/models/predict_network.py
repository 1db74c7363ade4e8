"""The networks of all folds of one model on the test patches, from files to files."""

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from landslip.data.store import PatchStore, open_store
from landslip.io.files import check_writable
from landslip.models.compilation import compile_encoders
from landslip.models.device import readable_memory_errors, usable_device
from landslip.models.fold_models import check_folds
from landslip.models.network import MultiEncoder
from landslip.models.network_files import load_network
from landslip.models.patch_cache import StoredPatches
from landslip.models.precision import Processor, read_processor, same_precision
from landslip.models.prediction import BATCH, predict_logits, sigmoid
from landslip.models.predictions import write_test

# Patches read at once; two such blocks are in memory.
_BLOCK = 4 * BATCH
_SECONDS_BETWEEN_LINES = 10.0

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class _Fold:
    """What one fold predicts with."""

    network: MultiEncoder
    tta: str
    precision: str


def predict_network(
    *,
    model: str,
    descriptions: Sequence[Path],
    store: Path,
    processor: Path,
    device: str,
    threads: int,
    targets: Sequence[Path],
) -> None:
    """Write what the network of every fold predicts for a store's patches.

    Each block of patches is read once, for all folds.

    Parameters
    ----------
    model
        Its name, which every description must hold.
    descriptions
        model.json of every fold, in order; weights beside it.
    store
        The patches.
    processor
        As in the trainings.
    device
        cpu or cuda.
    threads
        Of the processor.
    targets
        For each fold, parquet as of `landslip.models.predictions.write_test`.

    Raises
    ------
    InputError
        A model file is missing, damaged or of another fold or training; the store is damaged;
        a GPU is asked for and cannot be used, or its memory does not suffice.
    """
    torch.set_num_threads(threads)
    torch_device = usable_device(device)
    folds, split_digest = _load(
        model, descriptions, len(targets), torch_device, read_processor(processor)
    )
    for target in targets:
        check_writable(target.parent)
    with (
        open_store(store) as opened,
        readable_memory_errors(f"the {len(folds)} networks of {model} and a block of patches"),
    ):
        log.info("%s: %d patches, %d folds on %s", model, len(opened), len(folds), device)
        for fold in folds:
            # As in training: convolutions run faster with channels innermost.
            torch.nn.utils.convert_conv2d_weight_memory_format(
                fold.network.to(torch_device), torch.channels_last
            )
        predicted = _predict(folds, opened, torch_device)
        ids = opened.ids
    for target, probability in zip(targets, predicted, strict=True):
        write_test(target, ids=ids, probability=probability, split_digest=split_digest, model=model)


def _load(
    model: str,
    descriptions: Sequence[Path],
    count: int,
    device: torch.device,
    processor: Processor,
) -> tuple[list[_Fold], str]:
    """Every fold, still on the host, and the digest of their split."""
    loaded = [load_network(description) for description in descriptions]
    split_digest = check_folds(
        model, descriptions, [metadata for _, metadata in loaded], folds=count
    )
    folds = []
    for network, metadata in loaded:
        training = metadata["settings"]["training"]
        compile_encoders(network, training["compile"])
        precision = same_precision(
            metadata["precision"], training["precision"], device, processor=processor
        )
        folds.append(_Fold(network=network, tta=training["tta"], precision=precision))
        if precision != metadata["precision"]:
            log.warning(
                "%s fold %d was trained in %s, which this device lacks: it predicts in %s",
                model, metadata["fold"], metadata["precision"], precision,
            )  # fmt: skip
    return folds, split_digest


def _predict(
    folds: Sequence[_Fold], store: PatchStore, device: torch.device
) -> NDArray[np.float64]:
    """Probabilities (fold, n) of the patches of a store."""
    predicted = np.empty((len(folds), len(store)))
    patches = StoredPatches(store, folds[0].network.architecture.stack, pin=device.type == "cuda")
    blocks = torch.arange(len(store)).split(_BLOCK)
    started = told = time.monotonic()
    for block, following in zip_longest(blocks, blocks[1:]):
        read = patches[block].to(device, non_blocking=True)
        if following is not None:
            patches.prefetch(following)
        here = slice(int(block[0]), int(block[-1]) + 1)
        for number, fold in enumerate(folds):
            logits = predict_logits(
                fold.network, read, tta=fold.tta, precision=fold.precision, device=device
            )
            predicted[number, here] = sigmoid(logits)
        now = time.monotonic()
        if following is None or now - told >= _SECONDS_BETWEEN_LINES:
            told = now
            log.info(
                "%d of %d patches, %.1f patches/s with all folds",
                here.stop, len(store), here.stop / max(now - started, 1e-9),
            )  # fmt: skip
    return predicted
