"""What timm says of its models, each as it is by itself."""

import timm
import torch
from torch import nn

from landslip.models.meta_device import prefer_meta_device


def native_input(name: str) -> tuple[int, ...]:
    """(channel, row, column) that timm's own weights of a model read."""
    config = timm.get_pretrained_cfg(name)
    size = config.input_size if config is not None else None
    return tuple(size) if size else (3, 224, 224)


def first_layers(name: str) -> tuple[str, ...]:
    """Names of the layers that read the channels."""
    config = timm.get_pretrained_cfg(name)
    first = config.first_conv if config is not None else None
    return (first,) if isinstance(first, str) else tuple(first or ())


def classifier_prefixes(name: str) -> tuple[str, ...]:
    """How the names of the tensors of a model's classifiers begin."""
    config = timm.get_pretrained_cfg(name)
    last = config.classifier if config is not None else None
    names = (last,) if isinstance(last, str) else tuple(last or ())
    return tuple(f"{each}." for each in names)


def tensor_shapes(name: str) -> dict[str, tuple[int, ...]]:
    """Shape of every tensor of a timm model as it is by itself."""

    def build(device: torch.device) -> nn.Module:
        with device:
            model: nn.Module = timm.create_model(name, pretrained=False)
        return model

    model = prefer_meta_device(build)
    return {key: tuple(value.shape) for key, value in model.state_dict().items()}
