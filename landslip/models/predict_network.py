"""The networks of all folds of one model on the test patches, from files to files."""

import logging
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from itertools import zip_longest
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from landslip.data.sensors import missing_channels, split_sensors
from landslip.data.store import PatchStore, open_store
from landslip.io.files import InputError, check_writable, read_parquet
from landslip.models.compilation import compile_encoders
from landslip.models.device import processor_threads, readable_memory_errors, usable_device
from landslip.models.fold_models import check_folds
from landslip.models.network import MultiEncoder
from landslip.models.network_files import load_network
from landslip.models.patch_cache import StoredPatches
from landslip.models.precision import Processor, read_processor, same_precision
from landslip.models.prediction import BATCH, predict_logits, sigmoid
from landslip.models.predictions import write_test

# Patches read at once; two such blocks are in memory.
BLOCK = 4 * BATCH
_SECONDS_BETWEEN_LINES = 10.0

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Lacking:
    """What tells which sensors test patches lack."""

    manifest: Path
    """manifest.parquet."""
    sensor: Mapping[str, str]
    indices: Mapping[str, Sequence[str]]
    """See `landslip.data.sensors.sensors_of`."""


@dataclass(frozen=True, kw_only=True)
class _Fold:
    """What one fold predicts with."""

    network: MultiEncoder
    tta: str
    precision: str
    threads: int
    """Of the processor, as in its training: others change the last bits."""


class _Group(NamedTuple):
    """Patches that lack the same channels."""

    absent: list[str]
    rows: Tensor


@dataclass(frozen=True, kw_only=True)
class NetworkFolds:
    """The networks of all folds of one model, on one device."""

    folds: Sequence[_Fold]
    device: torch.device
    split_digest: str
    """Of the folds that they were trained on."""
    at_once: int
    """Folds that compute at the same time."""

    @property
    def stack(self) -> list[str]:
        """Channels that they read, in order."""
        return self.folds[0].network.architecture.stack

    def only(self, fold: int) -> "NetworkFolds":
        """One of them."""
        return replace(self, folds=[self.folds[fold]], at_once=1)

    def predict(self, patches: Tensor, absent: Sequence[str] = ()) -> NDArray[np.float64]:
        """Probabilities (fold, n) of patches (n, channel, row, column), channels as `stack`.

        Parameters
        ----------
        patches
            On any device.
        absent
            Channels that are taken for missing, whatever stands there: a network that was trained
            with modality dropout reads 0 there once it has scaled them.
        """
        patches = patches.to(self.device, non_blocking=True)
        answer = partial(_answer, patches=patches, absent=absent, device=self.device)
        if self.at_once == 1:
            return np.stack([answer(fold) for fold in self.folds])
        # PyTorch holds the number of threads for each thread that calls it.
        with ThreadPoolExecutor(self.at_once) as pool:
            return np.stack(list(pool.map(answer, self.folds)))


def _answer(
    fold: _Fold, *, patches: Tensor, absent: Sequence[str], device: torch.device
) -> NDArray[np.float64]:
    """Probabilities (n,) of one fold."""
    with processor_threads(fold.threads):
        read = fold.network.without(patches, absent) if absent else patches
        logits = predict_logits(
            fold.network, read, tta=fold.tta, precision=fold.precision, device=device
        )
        return sigmoid(logits)


def predict_network(
    *,
    model: str,
    descriptions: Sequence[Path],
    store: Path,
    processor: Path,
    lacking: Lacking | None = None,
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
    lacking
        Of a network that was trained with modality dropout: it reads no channel of a sensor that
        a patch lacks. None: it reads what was filled in.
    device
        cpu or cuda.
    threads
        Of the processor, all folds together. Each has as many as its training had; folds compute
        at the same time where there are more.
    targets
        For each fold, parquet as of `landslip.models.predictions.write_test`.

    Raises
    ------
    InputError
        A model file is missing, damaged or of another fold or training; the store is damaged;
        a GPU is asked for and cannot be used, or its memory does not suffice.
    """
    place = usable_device(device)
    room = readable_memory_errors(f"the {len(targets)} networks of {model} and a block of patches")
    with ExitStack() as stack:
        stack.enter_context(room)
        networks = load_networks(
            model,
            descriptions,
            folds=len(targets),
            device=place,
            processor=read_processor(processor),
            threads=threads,
        )
        for target in targets:
            check_writable(target.parent)
        opened = stack.enter_context(open_store(store))
        log.info("%s: %d patches, %d folds on %s", model, len(opened), len(targets), device)
        ids = opened.ids
        groups = _groups(networks.stack, ids, lacking)
        predicted = _predict(networks, opened, groups)
    for target, probability in zip(targets, predicted, strict=True):
        write_test(
            target,
            ids=ids,
            probability=probability,
            split_digest=networks.split_digest,
            model=model,
        )


def load_networks(
    model: str,
    descriptions: Sequence[Path],
    *,
    folds: int,
    device: torch.device,
    processor: Processor,
    threads: int,
) -> NetworkFolds:
    """Load every fold of a model and put it on a device.

    Parameters
    ----------
    model
        Its name, which every description must hold.
    descriptions
        model.json of each, in order; weights beside it.
    folds
        How many there must be.
    device
        Where they go.
    processor
        As it was measured for the trainings.
    threads
        Of the processor, all folds together; what a fold computes with that does not say how many
        its training had.

    Raises
    ------
    InputError
        A file is missing, damaged, or of another fold or training.
    """
    loaded = [load_network(description) for description in descriptions]
    split_digest = check_folds(
        model, descriptions, [metadata for _, metadata in loaded], folds=folds
    )
    ready = []
    for network, metadata in loaded:
        training = metadata["settings"]["training"]
        compile_encoders(network, training["compile"])
        precision = same_precision(
            metadata["precision"], training["precision"], device, processor=processor
        )
        # As in training: convolutions run faster with channels innermost.
        torch.nn.utils.convert_conv2d_weight_memory_format(network.to(device), torch.channels_last)
        ready.append(
            _Fold(
                network=network,
                tta=training["tta"],
                precision=precision,
                threads=metadata.get("threads", threads),
            )
        )
        if precision != metadata["precision"]:
            log.warning(
                "%s fold %d was trained in %s, which this device lacks: it predicts in %s",
                model, metadata["fold"], metadata["precision"], precision,
            )  # fmt: skip
    # A GPU computes for one fold after another; code that torch compiled is not run in threads.
    alone = device.type != "cpu" or any(
        metadata["settings"]["training"]["compile"] != "none" for _, metadata in loaded
    )
    at_once = 1 if alone else max(1, threads // max(fold.threads for fold in ready))
    return NetworkFolds(
        folds=ready,
        device=device,
        split_digest=split_digest,
        at_once=min(at_once, len(ready)),
    )


def _groups(stack: Sequence[str], ids: Sequence[str], lacking: Lacking | None) -> list[_Group]:
    """Patches that lack the same sensors, all of them at once."""
    if lacking is None:
        return [_Group([], torch.arange(len(ids)))]
    table = read_parquet(lacking.manifest, ["id", "split", "status", "missing"])
    own = table[(table["split"] == "test") & (table["status"] == "ok")]
    if own["id"].tolist() != list(ids):
        raise InputError(
            f"{lacking.manifest} is of other test patches than the store; delete both and run again"
        )
    missing = own["missing"].to_numpy(object)
    return [
        _Group(
            missing_channels(stack, split_sensors(sensors), lacking.sensor, lacking.indices),
            torch.from_numpy(np.flatnonzero(missing == sensors)),
        )
        for sensors in pd.unique(own["missing"])
    ]


def _predict(
    networks: NetworkFolds, store: PatchStore, groups: Sequence[_Group]
) -> NDArray[np.float64]:
    """Probabilities (fold, n) of the patches of a store."""
    predicted = np.empty((len(networks.folds), len(store)))
    patches = StoredPatches(store, networks.stack, pin=networks.device.type == "cuda")
    absent = [group.absent for group in groups for _ in group.rows.split(BLOCK)]
    blocks = [block for group in groups for block in group.rows.split(BLOCK)]
    done = 0
    started = logged = time.monotonic()
    for block, gone, following in zip_longest(blocks, absent, blocks[1:]):
        read = patches[block].to(networks.device, non_blocking=True)
        if following is not None:
            patches.prefetch(following)
        predicted[:, block.numpy()] = networks.predict(read, gone)
        done += len(block)
        now = time.monotonic()
        if following is None or now - logged >= _SECONDS_BETWEEN_LINES:
            logged = now
            log.info(
                "%d of %d patches, %.1f patches/s with all folds",
                done, len(store), done / max(now - started, 1e-9),
            )  # fmt: skip
    return predicted
