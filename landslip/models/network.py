"""The multi-encoder network: one timm encoder for each input, one head, one logit."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import timm
import torch
from torch import Tensor, nn
from torch.nn import functional

from landslip.models.heads import build_head
from landslip.models.patch_embedding import fold_enlargement, reads_small


@dataclass(frozen=True, kw_only=True)
class Architecture:
    """What a network is made of; enough, with its weights, to rebuild it."""

    channels: tuple[tuple[str, ...], ...]
    """Channel names that each encoder reads."""
    encoders: tuple[str, ...]
    """timm's name (architecture.tag) of each encoder."""
    head: str
    features: int
    """Outputs of each encoder; a `single` head reads the encoder's one logit instead."""
    image_size: int
    """Patches are resized to (image_size, image_size), bilinear."""

    def __post_init__(self) -> None:
        if len(self.channels) != len(self.encoders):
            raise ValueError(f"{len(self.encoders)} encoders for {len(self.channels)} inputs")

    @property
    def stack(self) -> list[str]:
        """Every channel the network reads, each once, in order of first use."""
        return list(dict.fromkeys(name for group in self.channels for name in group))

    def as_json(self) -> dict[str, Any]:
        """Plain values for the JSON beside the weights."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Architecture":
        """The inverse of `as_json`."""
        return cls(
            channels=tuple(tuple(group) for group in values["channels"]),
            encoders=tuple(values["encoders"]),
            head=values["head"],
            features=int(values["features"]),
            image_size=int(values["image_size"]),
        )


def build_encoder(
    name: str, *, channels: int, outputs: int, image_size: int, weights: Path | None = None
) -> nn.Module:
    """A timm model with `channels` inputs and `outputs` outputs.

    Parameters
    ----------
    weights
        Safetensors with timm's parameter names. timm itself adapts the first convolution to the
        number of channels and drops the classifier. None: random start.

    Notes
    -----
    Models whose input size is fixed (ViT's position embedding, MaxViT's relative positions) are
    told the image size; timm then resamples what depends on it.
    """
    options: dict[str, Any] = {"in_chans": channels, "num_classes": outputs}
    known = timm.get_pretrained_cfg(name)
    if known is not None and known.fixed_input_size:
        options["img_size"] = image_size
    if weights is None:
        encoder: nn.Module = timm.create_model(name, pretrained=False, **options)
    else:
        encoder = timm.create_model(
            name, pretrained=True, pretrained_cfg_overlay={"file": str(weights)}, **options
        )
    fold_enlargement(encoder, image_size)
    return encoder


class MultiEncoder(nn.Module):
    """Scale, resize and encode each input, then join the features in the head.

    Parameters
    ----------
    architecture
        What to build.
    shift, scale : (channel,), in the order of `architecture.stack`
        Inputs become (x - shift) / scale. Kept as buffers, so that the weight file is whole.
    weights
        timm name -> safetensors of its pretrained start; encoders not named start at random.
    """

    shift: Tensor
    scale: Tensor

    def __init__(
        self,
        architecture: Architecture,
        *,
        shift: Sequence[float],
        scale: Sequence[float],
        weights: Mapping[str, Path] | None = None,
    ) -> None:
        super().__init__()
        self.architecture = architecture
        single = architecture.head == "single"
        self.encoders = nn.ModuleList(
            build_encoder(
                name,
                channels=len(group),
                outputs=1 if single else architecture.features,
                image_size=architecture.image_size,
                weights=(weights or {}).get(name),
            )
            for name, group in zip(architecture.encoders, architecture.channels, strict=True)
        )
        self.head = build_head(architecture.head, len(self.encoders), architecture.features)
        self.register_buffer("shift", torch.tensor(shift, dtype=torch.float32).view(1, -1, 1, 1))
        self.register_buffer("scale", torch.tensor(scale, dtype=torch.float32).view(1, -1, 1, 1))
        stack = architecture.stack
        self._groups = [[stack.index(name) for name in group] for group in architecture.channels]

    def forward(self, patches: Tensor) -> Tensor:
        """(n, channel, row, column) in the store's units, channels as `stack` -> logits (n,)."""
        logits: Tensor = self.head(self.encode(patches))
        return logits

    def encode(self, patches: Tensor) -> Tensor:
        """What the head reads: the features of all encoders, (n, inputs * features)."""
        small = (patches - self.shift) / self.scale
        features = [
            encoder(self._input(small[:, group], encoder))
            for encoder, group in zip(self.encoders, self._groups, strict=True)
        ]
        return torch.cat(features, dim=1)

    def _input(self, images: Tensor, encoder: nn.Module) -> Tensor:
        """Enlarge, unless that is part of the encoder; channels innermost."""
        size = self.architecture.image_size
        square = images.shape[-2] == images.shape[-1]
        if images.shape[-2:] != (size, size) and not (
            square and reads_small(encoder, images.shape[-1])
        ):
            images = functional.interpolate(
                images, (size, size), mode="bilinear", align_corners=False
            )
        return images.contiguous(memory_format=torch.channels_last)
