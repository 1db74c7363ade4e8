"""What a network's answer takes, counted and not measured: the same on every machine."""

from collections.abc import Mapping
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

from landslip.models.augmentation import VIEWS
from landslip.models.meta_device import prefer_meta_device
from landslip.models.network import Architecture, MultiEncoder


def count_operations(description: Mapping[str, Any]) -> int:
    """Multiply-adds of matrix products and convolutions for one patch, over all its views.

    Parameters
    ----------
    description
        Of a trained network: what its model.json says.
    """
    architecture = Architecture.from_json(description["architecture"])
    blank, size = [1.0] * len(architecture.stack), architecture.image_size

    def count(device: torch.device) -> int:
        with device, torch.no_grad(), FlopCounterMode(display=False) as counter:
            network = MultiEncoder(architecture, shift=blank, scale=blank).eval()
            network(torch.zeros(1, len(blank), size, size))
        return int(counter.get_total_flops() // 2)

    return prefer_meta_device(count) * len(VIEWS[description["tta"]])
