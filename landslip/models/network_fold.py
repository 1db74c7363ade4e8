"""One network on one fold, from files to files."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import timm
import torch
from numpy.typing import NDArray

from landslip.data.store import PatchStore, content_digest_of, open_store_of
from landslip.features.scales import read_scaling, scale_and_shift
from landslip.io.files import (
    InputError,
    check_writable,
    file_digest,
    read_metadata,
    write_parquet,
)
from landslip.io.locks import exclusive
from landslip.io.settings import flatten
from landslip.models.compilation import compile_encoders
from landslip.models.cost import Cost, Stopwatch, peak_memory_mb, write_cost
from landslip.models.device import (
    device_name,
    peak_device_memory_mb,
    readable_memory_errors,
    usable_device,
)
from landslip.models.epochs import LabelledPatches
from landslip.models.interruption import noting_signals
from landslip.models.network import Architecture, MultiEncoder
from landslip.models.network_files import save_network
from landslip.models.patch_cache import Subset, cache_patches
from landslip.models.precision import choose_precision, read_processor
from landslip.models.prediction import predict_logits, sigmoid
from landslip.models.run import LossNotFiniteError, Run
from landslip.models.seeds import derive_seed
from landslip.models.settings import Network
from landslip.models.split import Split, read_split
from landslip.models.state import StateFile
from landslip.models.training import train
from landslip.models.weights import Pretrained, verify_weights

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Outputs:
    """Where the files of a training go, in one folder."""

    weights: Path
    description: Path
    oof: Path
    history: Path
    cost: Path


@dataclass(frozen=True, kw_only=True)
class NetworkTraining:
    """A training of one network on one fold: settings, inputs and machine."""

    model: str
    """Its name."""
    settings: Network
    architecture: Architecture
    fold: int
    """The fold that is held out."""
    seed: int
    """The run's seed; the model's own derives from it, `model` and `fold`."""
    code: str
    """Digest of the source that runs here: another one does not go on from a saved state."""
    device: str
    threads: int
    memory_mb: float
    """Host memory that the job was given; see `landslip.models.patch_cache`."""
    train_store: Path
    """The training patches."""
    scaling: Path
    folds: Path
    pretrained: Mapping[str, Path]
    """timm name -> safetensors of its pretrained start."""
    processor: Path
    """How fast this run's processors are, from `landslip.models.precision.write_processor`."""
    resume: Path
    """Where the state of the training is saved, and gone on from. Deleted at the end."""
    save_minutes: float
    """Between saves inside an epoch; each end is saved too."""
    sensors: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Channel -> sensors that it comes from; empty where none is dropped."""

    @property
    def own_seed(self) -> int:
        """Seed of this (seed, model, fold)."""
        return derive_seed(self.seed, self.model, self.fold)

    def stored_settings(self) -> dict[str, Any]:
        """Settings that decide the result, as builtins."""
        return self.settings.model_dump(mode="json", exclude={"training": {"save_minutes"}})


@dataclass(frozen=True, kw_only=True)
class _Start:
    """What a training finds before its network is built."""

    split: Split
    device: torch.device
    precision: str
    weights: Mapping[str, Pretrained]
    """timm name -> verified weights."""


def train_network(training: NetworkTraining, outputs: Outputs) -> None:
    """Train a network on the other folds, predict this fold, and write all outputs.

    Raises
    ------
    InputError
        The outputs cannot be written; the store is damaged or of other patches than the folds, or
        pretrained weights are; the fold does not exist; the loss is not finite; memory does not
        suffice.
    Interrupted
        A signal asked to end; what was trained is saved.
    """
    stopwatch = Stopwatch()
    check_writable(outputs.weights.parent)
    torch.set_num_threads(training.threads)
    start = _prepare(training)
    fingerprint = _fingerprint(training, start)
    file = StateFile(path=training.resume, fingerprint=fingerprint, minutes=training.save_minutes)
    with ExitStack() as stack:
        # A run that was killed may have left its training behind.
        stack.enter_context(exclusive(outputs.weights.parent))
        stack.enter_context(readable_memory_errors(f"{training.model} and its training patches"))
        stack.enter_context(_readable_loss_errors(start.split))
        interruption = stack.enter_context(noting_signals())
        network = _build(training, start)
        store = stack.enter_context(open_store_of(training.train_store, start.split.table["id"]))
        shown, held_out = _load_patches(store, training, start)
        run = train(
            network,
            shown,
            held_out,
            training.settings.training,
            seed=training.own_seed,
            device=start.device,
            precision=start.precision,
            sensors=training.sensors,
            file=file,
            interruption=interruption,
        )
        stopwatch.lap()
        oof = _predict(network, held_out, training, start)
        seconds = stopwatch.lap()
        metadata = _metadata(network, training, start)
        save_network(
            network, weights=outputs.weights, description=outputs.description, metadata=metadata
        )
        start.split.write_oof(outputs.oof, oof, training.model)
        write_parquet(outputs.history, pd.DataFrame([asdict(epoch) for epoch in run.history]))
        cost = Cost(
            **_cost(run, training, start),
            seconds=run.earlier_seconds + stopwatch.total(),
            prediction_seconds=seconds,
            training_patches=len(shown.labels),
            prediction_patches_per_second=len(oof) / seconds,
        )
        write_cost(outputs.cost, cost)
        # Last: until all outputs stand, a killed process goes on from the trained network.
        file.delete()


def _prepare(training: NetworkTraining) -> _Start:
    """Read the folds, verify pretrained weights, choose device and precision."""
    device = usable_device(training.device)
    precision = choose_precision(
        training.settings.training.precision,
        device,
        processor=read_processor(training.processor),
        architecture=training.architecture,
    )
    return _Start(
        split=read_split(training.folds, training.fold),
        device=device,
        precision=precision,
        weights={name: verify_weights(path) for name, path in training.pretrained.items()},
    )


def _fingerprint(training: NetworkTraining, start: _Start) -> dict[str, str]:
    """All that tells this training from another, whose state it must not go on from."""
    starts = training.pretrained.items()
    bands = {name: weights.bands for name, weights in start.weights.items()}
    return {
        **flatten("settings", training.stored_settings()),
        **flatten("architecture", training.architecture.as_json()),
        **{f"sensors.{name}": "+".join(each) for name, each in training.sensors.items()},
        "seed": str(training.own_seed),
        "code": training.code,
        "train_store": content_digest_of(training.train_store),
        "scaling": file_digest(training.scaling),
        "folds": start.split.digest,
        **{f"pretrained.{name}": file_digest(path) for name, path in starts},
        **{f"bands.{name}": str(named) for name, named in bands.items() if named},
        "device": start.device.type,
        "precision": start.precision,
        "torch": torch.__version__,
        "timm": timm.__version__,
    }


def _build(training: NetworkTraining, start: _Start) -> MultiEncoder:
    """The network before its first step."""
    plan, settings = training.architecture, training.settings
    # Before the model is built: its random parts derive from (seed, model, fold) too.
    torch.manual_seed(training.own_seed)
    shift, scale = scale_and_shift(read_scaling(training.scaling), plan.stack, settings.scaling)
    network = MultiEncoder(plan, shift=shift.tolist(), scale=scale.tolist(), weights=start.weights)
    compile_encoders(network, settings.training.compile)
    held_out = start.split.held_out
    log.info(
        "%s fold %d: %d training and %d validation patches, %.1f M parameters, %s in %s",
        training.model, training.fold, (~held_out).sum(), held_out.sum(),
        sum(parameter.numel() for parameter in network.parameters()) / 1e6, training.device,
        start.precision,
    )  # fmt: skip
    return network


def _load_patches(
    store: PatchStore, training: NetworkTraining, start: _Start
) -> tuple[LabelledPatches, LabelledPatches]:
    """The patches to learn from and those held out, where there is room for them."""
    stack = training.architecture.stack
    patches = cache_patches(store, stack, start.device, memory_mb=training.memory_mb)
    labels = torch.tensor(start.split.labels, dtype=torch.float32)
    shown, held_out = (
        LabelledPatches(Subset(patches, np.flatnonzero(chosen)), labels[torch.tensor(chosen)])
        for chosen in (~start.split.held_out, start.split.held_out)
    )
    return shown, held_out


def _predict(
    network: MultiEncoder, patches: LabelledPatches, training: NetworkTraining, start: _Start
) -> NDArray[np.floating]:
    """Probabilities of patches, (n,)."""
    return sigmoid(
        predict_logits(
            network,
            patches.patches,
            tta=training.settings.training.tta,
            precision=start.precision,
            device=start.device,
        )
    )


def _metadata(network: MultiEncoder, training: NetworkTraining, start: _Start) -> dict[str, Any]:
    """What the description tells beside what loading needs."""
    return {
        "model": training.model,
        "fold": training.fold,
        "seed": training.own_seed,
        "precision": start.precision,
        # How many threads share a sum decides its last bits: whoever predicts takes as many.
        "threads": training.threads,
        "tta": training.settings.training.tta,
        "split_digest": start.split.digest,
        "settings": training.stored_settings(),
        # Of each encoder, how much came from pretrained weights; null: a random start.
        "pretrained": [None if each is None else asdict(each) for each in network.loaded],
        "scaling_fit": read_metadata(training.scaling).get("fit"),
        "versions": {"torch": torch.__version__.split("+")[0]},
    }


def _cost(run: Run, training: NetworkTraining, start: _Start) -> dict[str, Any]:
    """What the training took, as far as it tells itself."""
    return {
        "model": training.model,
        "fold": training.fold,
        "kind": "network",
        "encoders": training.architecture.encoders,
        "device": device_name(start.device),
        "precision": start.precision,
        "threads": training.threads,
        "training_seconds": run.seconds,
        "epochs": run.epoch,
        "training_patches_per_second": run.patches_trained / run.seconds,
        "peak_memory_mb": peak_memory_mb(),
        "peak_device_memory_mb": peak_device_memory_mb(start.device),
        "resumed": run.resumed,
    }


@contextmanager
def _readable_loss_errors(split: Split) -> Iterator[None]:
    """Name the patches of the batch that training went astray on."""
    try:
        yield
    except LossNotFiniteError as error:
        ids = split.table["id"][~split.held_out].iloc[error.rows]
        raise InputError(f"{error}. The batch: {', '.join(ids)}") from error
