"""Probabilities from a network, with test-time augmentation."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from landslip.models.augmentation import VIEWS
from landslip.models.patch_cache import Patches
from landslip.models.precision import autocast

# Patches that a network reads at once.
BATCH = 64


@torch.inference_mode()
def predict_logits(
    model: nn.Module,
    patches: Tensor | Patches,
    *,
    tta: str,
    precision: str,
    device: torch.device,
    batch_size: int = BATCH,
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
        Patches that go through the network at once.

    Returns
    -------
    (n,) float32
    """
    model.eval()
    logits = torch.empty(len(patches), dtype=torch.float32, device=device)
    views = VIEWS[tta]
    start = 0
    while start < len(patches):
        end = start + batch_size
        try:
            batch = patches[start:end].to(device, torch.float32, non_blocking=True)
            with autocast(precision, device):
                seen = [model(view(batch)).float() for view in views]
            logits[start:end] = torch.stack(seen).mean(dim=0)
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
    values: NDArray[np.float64] = torch.sigmoid(torch.from_numpy(logits).double()).numpy()
    return values
