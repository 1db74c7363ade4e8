"""One network on one fold, from files to files."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import timm
import torch

from landslip.data.folds import read_folds
from landslip.data.store import PatchStore, content_digest_of, open_store
from landslip.features.scales import read_scaling, scale_and_shift
from landslip.io.files import (
    InputError,
    check_writable,
    exclusive,
    file_digest,
    read_metadata,
    write_parquet,
)
from landslip.models.compilation import compile_encoders
from landslip.models.cost import Cost, Stopwatch, peak_memory_mb, write_cost
from landslip.models.device import (
    device_name,
    memory_in_words,
    peak_device_memory_mb,
    usable_device,
)
from landslip.models.fingerprint import flatten
from landslip.models.interruption import noting_signals
from landslip.models.network import Architecture, MultiEncoder
from landslip.models.network_files import save_network
from landslip.models.precision import choose_precision, read_processor
from landslip.models.prediction import predict_logits, sigmoid
from landslip.models.predictions import write_oof
from landslip.models.residence import Subset, place_patches
from landslip.models.run import LabelledPatches, LossNotFiniteError
from landslip.models.seeds import derive_seed
from landslip.models.settings import Network
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


def train_network(
    *,
    model: str,
    settings: Network,
    architecture: Architecture,
    fold: int,
    seed: int,
    code: str,
    device: str,
    threads: int,
    memory_mb: float,
    train_store: Path,
    scaling: Path,
    folds: Path,
    pretrained: Mapping[str, Path],
    processor: Path,
    resume: Path,
    save_minutes: float,
    outputs: Outputs,
) -> None:
    """Train on the other folds, predict this one, write all of it.

    Parameters
    ----------
    code
        Digest of the source that runs here: another one does not go on from a saved state.
    memory_mb
        Host memory that the job was given; see `landslip.models.residence`.
    train_store
        The training patches.
    pretrained
        timm name -> safetensors of its pretrained start.
    processor
        How fast this run's processors are, as `landslip.models.precision.write_processor` tells.
    resume
        Where the state of the training is saved, and gone on from. Deleted at the end.
    save_minutes
        Between saves inside an epoch; each end is saved too.

    Raises
    ------
    InputError
        The outputs cannot be written; the store is damaged or of other patches than the folds, or
        pretrained weights are; the loss is not finite; memory does not suffice.
    Interrupted
        A signal asked to end; what was trained is saved.
    """
    watch = Stopwatch()
    check_writable(outputs.weights.parent)
    torch.set_num_threads(threads)
    place = usable_device(device)
    precision = choose_precision(
        settings.training.precision,
        place,
        processor=read_processor(processor),
        architecture=architecture,
    )
    derived = derive_seed(seed, model, fold)
    table, split = read_folds(folds)
    held_out = table["fold"].to_numpy() == fold
    starts = {name: verify_weights(path) for name, path in pretrained.items()}
    fingerprint = {
        **flatten("settings", _stored_settings(settings)),
        **flatten("architecture", architecture.as_json()),
        "seed": str(derived),
        "code": code,
        "train_store": content_digest_of(train_store),
        "scaling": file_digest(scaling),
        "folds": split,
        **{f"pretrained.{name}": file_digest(path) for name, path in pretrained.items()},
        **{f"bands.{name}": str(start.bands) for name, start in starts.items() if start.bands},
        "device": place.type,
        "precision": precision,
        "torch": torch.__version__,
        "timm": timm.__version__,
    }
    file = StateFile(path=resume, fingerprint=fingerprint, minutes=save_minutes)
    with ExitStack() as stack:
        # A run that was killed may have left its training behind.
        stack.enter_context(exclusive(outputs.weights.parent))
        stack.enter_context(memory_in_words(f"{model} and its training patches"))
        stack.enter_context(_losses_in_words(table, fold))
        interruption = stack.enter_context(noting_signals())
        # Before the model is built: its random parts derive from (seed, model, fold) too.
        torch.manual_seed(derived)
        network = _build(architecture, settings, scaling, starts)
        compile_encoders(network, settings.training.compile)
        log.info(
            "%s fold %d: %d training and %d validation patches, %.1f M parameters, %s in %s",
            model, fold, (~held_out).sum(), held_out.sum(),
            sum(parameter.numel() for parameter in network.parameters()) / 1e6, device, precision,
        )  # fmt: skip
        store = stack.enter_context(_open_train_store(train_store, table))
        patches = place_patches(store, architecture.stack, place, memory_mb=memory_mb)
        labels = torch.from_numpy(table["label"].to_numpy(np.float32))
        training, validation = (
            LabelledPatches(Subset(patches, np.flatnonzero(chosen)), labels[chosen])
            for chosen in (~held_out, held_out)
        )
        run = train(
            network,
            training,
            validation,
            settings.training,
            seed=derived,
            device=place,
            precision=precision,
            file=file,
            interruption=interruption,
        )
        watch.lap()
        oof = sigmoid(
            predict_logits(
                network,
                validation.patches,
                tta=settings.training.tta,
                precision=precision,
                device=place,
            )
        )
        prediction_seconds = watch.lap()
        facts = {
            "model": model,
            "fold": fold,
            "seed": derived,
            "precision": precision,
            "tta": settings.training.tta,
            "split_digest": split,
            "settings": _stored_settings(settings),
            # Of each encoder, how much came from pretrained weights; null: a random start.
            "pretrained": [None if each is None else asdict(each) for each in network.loaded],
            "scaling_fit": read_metadata(scaling).get("fit"),
            "versions": {"torch": torch.__version__.split("+")[0]},
        }
        save_network(network, weights=outputs.weights, description=outputs.description, facts=facts)
        known = table[held_out]
        write_oof(
            outputs.oof, ids=known["id"].tolist(), fold=fold, labels=known["label"].to_numpy(),
            probability=oof, split_digest=split, model=model,
        )  # fmt: skip
        write_parquet(outputs.history, pd.DataFrame([asdict(epoch) for epoch in run.history]))
        cost = Cost(
            model=model,
            fold=fold,
            kind="network",
            encoders=architecture.encoders,
            device=device_name(place),
            precision=precision,
            threads=threads,
            seconds=run.earlier_seconds + watch.total(),
            training_seconds=run.seconds,
            prediction_seconds=prediction_seconds,
            epochs=run.epoch,
            training_patches=len(training.labels),
            training_patches_per_second=run.patches_trained / run.seconds,
            prediction_patches_per_second=len(oof) / prediction_seconds,
            peak_memory_mb=peak_memory_mb(),
            peak_device_memory_mb=peak_device_memory_mb(place),
            resumed=run.resumed,
        )
        write_cost(outputs.cost, cost)
        # Last: until all outputs stand, a killed process goes on from the trained network.
        file.delete()


def _stored_settings(settings: Network) -> dict[str, Any]:
    """All that decides the result."""
    return settings.model_dump(mode="json", exclude={"training": {"save_minutes"}})


def _build(
    architecture: Architecture, settings: Network, scaling: Path, starts: Mapping[str, Pretrained]
) -> MultiEncoder:
    shift, scale = scale_and_shift(read_scaling(scaling), architecture.stack, settings.scaling)
    return MultiEncoder(architecture, shift=shift.tolist(), scale=scale.tolist(), weights=starts)


@contextmanager
def _losses_in_words(table: pd.DataFrame, fold: int) -> Iterator[None]:
    """Name the patches of the batch that training went astray on."""
    try:
        yield
    except LossNotFiniteError as error:
        ids = table["id"][table["fold"] != fold].iloc[error.rows]
        raise InputError(f"{error}. The batch: {', '.join(ids)}") from error


@contextmanager
def _open_train_store(store: Path, table: pd.DataFrame) -> Iterator[PatchStore]:
    """The store of the folds' patches, in their order."""
    with open_store(store) as opened:
        if opened.ids != table["id"].tolist():
            raise InputError(
                f"{store} holds other patches than the folds ({len(opened)} against "
                f"{len(table)}); delete both and run again"
            )
        yield opened
