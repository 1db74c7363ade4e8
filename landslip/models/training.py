"""The training loop of a network."""

import logging
import time
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from landslip.config import Training
from landslip.models.augmentation import random_symmetry
from landslip.models.network import MultiEncoder
from landslip.models.objective import landslide_loss, learning_rate
from landslip.models.precision import autocast
from landslip.models.prediction import predict_logits

log = logging.getLogger(__name__)


class LabelledPatches(NamedTuple):
    """Patches in the store's units and their labels, in memory."""

    patches: Tensor
    """(n, channel, row, column) float32"""
    labels: Tensor
    """(n,) float32, 0 or 1"""


@dataclass(frozen=True, kw_only=True)
class Epoch:
    """One row of the learning curve."""

    step: float
    train_loss: float
    validation_loss: float
    validation_f1: float
    learning_rate: float


def train(
    model: MultiEncoder,
    training: LabelledPatches,
    validation: LabelledPatches,
    settings: Training,
    *,
    seed: int,
    device: torch.device,
    precision: str,
) -> list[Epoch]:
    """Train `model` in place; the last epoch's weights are kept, as in the paper.

    Parameters
    ----------
    training, validation
        Validation is only measured, for the learning curve; nothing is chosen on it.
    seed
        Of this (seed, model, fold): draws the order, the symmetries and the dropout.

    Raises
    ------
    FloatingPointError
        The loss is no longer finite; the message names the epoch.
    """
    torch.manual_seed(seed)
    # Convolutions run faster with channels innermost; transformers do not mind.
    torch.nn.utils.convert_conv2d_weight_memory_format(model.to(device), torch.channels_last)
    patches, labels = training.patches.to(device), training.labels.to(device)
    optimizer = torch.optim.AdamW(
        model.parameters(),
        lr=settings.learning_rate,
        weight_decay=settings.weight_decay,
        fused=device.type == "cuda",
    )
    scaler = torch.amp.GradScaler(device.type, enabled=precision == "float16")
    symmetries = torch.Generator(device).manual_seed(seed)
    batch_size = min(settings.batch_size, len(labels))
    steps = len(labels) // batch_size
    history: list[Epoch] = []
    for epoch in range(settings.epochs):
        started = time.perf_counter()
        model.train()
        # The last partial batch is dropped: BatchNorm must not learn from a handful of patches.
        order = _epoch_order(len(labels), seed, epoch)[: steps * batch_size].to(device)
        total = torch.zeros((), device=device)
        for step, rows in enumerate(order.split(batch_size)):
            rate = _rate(settings, epoch, step, steps)
            for group in optimizer.param_groups:
                group["lr"] = rate
            batch = patches[rows]
            if settings.augmentation == "symmetries":
                batch = random_symmetry(batch, symmetries)
            with autocast(precision, device):
                logits = model(batch)
            loss = landslide_loss(logits.float(), labels[rows], settings.bce_weight)
            optimizer.zero_grad(set_to_none=True)
            scaler.scale(loss).backward()
            scaler.step(optimizer)
            scaler.update()
            total += loss.detach()
        history.append(
            _close_epoch(
                model,
                validation,
                settings,
                device,
                precision,
                epoch + 1,
                float(total) / steps,
                rate,
            )
        )
        seconds = time.perf_counter() - started
        row = history[-1]
        log.info(
            "epoch %d/%d  loss %.4f  validation loss %.4f  F1 %.4f  %.1f patches/s  %.0f s",
            epoch + 1, settings.epochs, row.train_loss, row.validation_loss, row.validation_f1,
            len(order) / seconds, seconds,
        )  # fmt: skip
    return history


def _epoch_order(patches: int, seed: int, epoch: int) -> Tensor:
    """Rows in the order of one epoch, a function of (seed, epoch) alone."""
    generator = torch.Generator().manual_seed(seed + epoch)
    return torch.randperm(patches, generator=generator)


def _rate(settings: Training, epoch: int, step: int, steps: int) -> float:
    return learning_rate(
        settings.schedule,
        start=settings.learning_rate,
        epoch=epoch,
        epochs=settings.epochs,
        step=step,
        steps=steps,
        warmup=settings.warmup,
    )


def _close_epoch(
    model: MultiEncoder,
    validation: LabelledPatches,
    settings: Training,
    device: torch.device,
    precision: str,
    epoch: int,
    train_loss: float,
    rate: float,
) -> Epoch:
    """Measure the validation patches, without test-time augmentation."""
    if not np.isfinite(train_loss):
        raise FloatingPointError(
            f"the training loss is {train_loss} in epoch {epoch}; "
            "lower training.learning_rate, or set training.precision: float32"
        )
    logits = torch.from_numpy(
        predict_logits(model, validation.patches, tta="none", precision=precision, device=device)
    )
    labels = validation.labels
    called = (logits > 0).float()
    hits = float((called * labels).sum())
    alarms = float(called.sum() + labels.sum())
    return Epoch(
        step=float(epoch),
        train_loss=train_loss,
        validation_loss=float(landslide_loss(logits, labels, settings.bce_weight)),
        validation_f1=2 * hits / alarms if alarms else 0.0,
        learning_rate=rate,
    )
