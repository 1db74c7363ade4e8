"""What training minimises and how the learning rate falls."""

import math

import torch
from torch import Tensor
from torch.nn import functional

_EPSILON = 1e-7


def smooth_f1_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """1 - soft F1 over the batch: counts are sums of probabilities.

    Parameters
    ----------
    logits : (n,) float32
        Of the batch.
    labels : (n,) float32
        0 or 1.

    Notes
    -----
    1 - (2 tp + e) / (2 tp + fp + fn + e) with e = 1e-7, as in the paper.
    """
    probability = torch.sigmoid(logits)
    true_positive = (probability * labels).sum()
    # 2 tp + fp + fn = sum of probabilities + sum of labels
    return 1 - (2 * true_positive + _EPSILON) / (probability.sum() + labels.sum() + _EPSILON)


def landslide_loss(logits: Tensor, labels: Tensor, bce_weight: float) -> Tensor:
    """`bce_weight` BCE + (1 - `bce_weight`) SmoothF1; 0.5 is the paper's average of the two."""
    bce = functional.binary_cross_entropy_with_logits(logits, labels)
    return bce_weight * bce + (1 - bce_weight) * smooth_f1_loss(logits, labels)


def learning_rate(
    schedule: str, *, start: float, epoch: int, epochs: int, step: int, steps: int, warmup: float
) -> float:
    """Learning rate of one step.

    Parameters
    ----------
    schedule
        `cosine_epoch`: start / 2 (1 + cos(pi epoch / epochs)), the paper's; `cosine_step`: linear
        warm-up over the first `warmup` of all steps, then the cosine to 0 by step.
    start
        Learning rate at the start, or after the warm-up.
    epoch, epochs
        Current epoch from 0, and their number.
    step, steps
        Current step from 0 inside the epoch, and steps an epoch.
    warmup
        Share of all steps, in [0, 1).
    """
    if schedule == "cosine_epoch":
        return start / 2 * (1 + math.cos(math.pi * epoch / epochs))
    done, total = epoch * steps + step, epochs * steps
    rising = warmup * total
    if done < rising:
        return start * (done + 1) / (rising + 1)
    return start / 2 * (1 + math.cos(math.pi * (done - rising) / max(total - rising, 1)))
