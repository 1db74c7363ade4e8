"""Probabilities from a network, with test-time augmentation."""

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import expit
from torch import Tensor, nn

from landslip.models.augmentation import VIEWS
from landslip.models.patch_cache import Patches
from landslip.models.precision import autocast

# Patches that a network reads at once. On a processor as many always: libraries add up in another
# order for another number, and what is said of a patch must not depend on which come with it.
BATCH, BATCH_OF_PROCESSOR = 64, 16


@torch.inference_mode()
def predict_logits(
    model: nn.Module,
    patches: Tensor | Patches,
    *,
    tta: str,
    precision: str,
    device: torch.device,
    batch_size: int | None = None,
) -> NDArray[np.float32]:
    """Logits of patches, averaged over the views of `tta`.

    Parameters
    ----------
    model
        Maps patches to logits (n,); it is put into evaluation mode.
    patches : (n, channel, row, column)
        In the store's units, on any device.
    tta
        A key of `landslip.models.augmentation.VIEWS`.
    precision
        float32, bfloat16 or float16.
    device
        Where the network computes.
    batch_size
        Patches that go through the network at once; None: what suits the device.

    Returns
    -------
    (n,) float32
        On a processor the same bits for a patch, whichever others there are.
    """
    model.eval()
    on_processor = device.type == "cpu"
    if batch_size is None:
        batch_size = BATCH_OF_PROCESSOR if on_processor else BATCH
    logits = torch.empty(len(patches), dtype=torch.float32, device=device)
    views = VIEWS[tta]
    start = 0
    # Around all batches: on its end it forgets the weights that it has converted.
    with autocast(precision, device):
        while start < len(patches):
            end = start + batch_size
            try:
                batch = patches[start:end].to(device, torch.float32, non_blocking=True)
                count = len(batch)
                if on_processor and count < batch_size:
                    padding = batch[-1:].expand(batch_size - count, *batch.shape[1:])
                    batch = torch.cat([batch, padding])
                seen = [model(view(batch)).float() for view in views]
                logits[start:end] = torch.stack(seen).mean(dim=0)[:count]
                start = end
            except torch.OutOfMemoryError:
                # Patches are predicted one by one: how many at once changes no result.
                if batch_size == 1:
                    raise
                batch_size //= 2
    values: NDArray[np.float32] = logits.cpu().numpy()
    return values


def sigmoid(logits: NDArray[np.float32]) -> NDArray[np.float64]:
    """Probabilities of logits of any shape, in float64 so that certain ones stay apart from 1."""
    # Value by value, where torch takes several at once and the last ones otherwise.
    values: NDArray[np.float64] = expit(logits.astype(np.float64))
    return values
