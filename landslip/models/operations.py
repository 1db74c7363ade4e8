"""What a network's answer takes, counted and not measured: the same on every machine."""

from collections.abc import Mapping
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

from landslip.models.augmentation import VIEWS
from landslip.models.meta_device import prefer_meta_device
from landslip.models.network import Architecture, blank_network


def count_operations(description: Mapping[str, Any]) -> int:
    """Multiply-adds of matrix products and convolutions for one patch, over all its views.

    Parameters
    ----------
    description
        Of a trained network: what its model.json says.
    """
    architecture = Architecture.from_json(description["architecture"])
    size = architecture.image_size

    def count(device: torch.device) -> int:
        network = blank_network(architecture, device)
        with device, torch.no_grad(), FlopCounterMode(display=False) as counter:
            network(torch.zeros(1, len(architecture.stack), size, size))
        return int(counter.get_total_flops() // 2)

    return prefer_meta_device(count) * len(VIEWS[description["tta"]])
