"""What a network has reached at the end of an epoch: one row of its learning curve."""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from landslip.models.objective import landslide_loss
from landslip.models.patch_cache import Patches
from landslip.models.prediction import predict_logits


class LabelledPatches(NamedTuple):
    """Patches in the store's units and their labels."""

    patches: Tensor | Patches
    """(n, channel, row, column)"""
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


def measure_epoch(
    network: nn.Module,
    validation: LabelledPatches,
    *,
    number: int,
    train_loss: float,
    learning_rate: float,
    bce_weight: float,
    precision: str,
    device: torch.device,
) -> Epoch:
    """Measure the validation patches, without test-time augmentation.

    Parameters
    ----------
    network
        As it would predict by now.
    validation
        Patches that are only measured.
    number
        Of the epoch, from 1.
    train_loss, learning_rate
        Of the epoch's steps.
    bce_weight
        As in `landslide_loss`.
    precision, device
        As in `predict_logits`.
    """
    logits = torch.from_numpy(
        predict_logits(network, validation.patches, tta="none", precision=precision, device=device)
    )
    called = (logits > 0).float()
    hits = float((called * validation.labels).sum())
    alarms = float(called.sum() + validation.labels.sum())
    return Epoch(
        step=float(number),
        train_loss=train_loss,
        validation_loss=float(landslide_loss(logits, validation.labels, bce_weight)),
        validation_f1=2 * hits / alarms if alarms else 0.0,
        learning_rate=learning_rate,
    )
