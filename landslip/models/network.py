"""The multi-encoder network: one timm encoder for each input, one head, one logit."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from pydantic import ConfigDict, TypeAdapter, ValidationError
from torch import Tensor, nn
from torch.nn import functional

from landslip.models.encoder import Loaded, build_encoder
from landslip.models.heads import build_head
from landslip.models.names import (
    HEADS,
    IMAGE_SIZES,
    MOST_CHANNELS,
    MOST_FEATURES,
    explain_timm_name,
)
from landslip.models.weights import Pretrained


@dataclass(frozen=True, kw_only=True)
class Architecture:
    """What a network is made of; enough, with its weights, to rebuild it."""

    # Of pydantic, which reads and writes it as JSON.
    __pydantic_config__ = ConfigDict(extra="forbid")

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
        if self.head not in HEADS:
            raise ValueError(f"unknown head {self.head!r}; known: {', '.join(HEADS)}")
        if HEADS[self.head] != len(self.channels):
            raise ValueError(
                f"head {self.head} reads {HEADS[self.head]} inputs, got {len(self.channels)}"
            )
        for name, value, allowed in (
            ("features", self.features, range(1, MOST_FEATURES + 1)),
            ("image_size", self.image_size, IMAGE_SIZES),
        ):
            if value not in allowed:
                raise ValueError(f"{name} is {value}, expected {allowed[0]} to {allowed[-1]}")
        for group in self.channels:
            if not 0 < len(group) <= MOST_CHANNELS or len(set(group)) < len(group):
                raise ValueError(
                    f"expected 1 to {MOST_CHANNELS} channels of different names for each encoder, "
                    f"got {len(group)}, {len(set(group))} of them different"
                )
        for name in self.encoders:
            mistake = explain_timm_name(name)
            if mistake is not None:
                raise ValueError(f"encoders: {mistake}")

    @property
    def stack(self) -> list[str]:
        """Every channel the network reads, each once, in order of first use."""
        return list(dict.fromkeys(name for group in self.channels for name in group))

    def as_json(self) -> dict[str, Any]:
        """Plain values for the JSON beside the weights."""
        values: dict[str, Any] = _STORED.dump_python(self, mode="json")
        return values

    @classmethod
    def from_json(cls, values: Any) -> "Architecture":
        """The inverse of `as_json`.

        Raises
        ------
        ValueError
            A key is missing, unknown or of another type, or a value out of range; the message
            says which.
        """
        try:
            return _STORED.validate_json(json.dumps(values), strict=True)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            reason = first["msg"].removeprefix("Value error, ")
            raise ValueError(f"{where}: {reason}" if where else reason) from None


_STORED = TypeAdapter(Architecture)


class MultiEncoder(nn.Module):
    """Scale, resize and encode each input, then join the features in the head.

    Parameters
    ----------
    architecture
        What to build.
    shift, scale : (channel,), in the order of `architecture.stack`
        Inputs become (x - shift) / scale. Kept as buffers, so that the weight file is whole.
    weights
        timm name -> its pretrained start; encoders not named start at random.

    Attributes
    ----------
    loaded
        Of each encoder, how much of it came from pretrained weights; None: nothing.
    """

    shift: Tensor
    scale: Tensor

    def __init__(
        self,
        architecture: Architecture,
        *,
        shift: Sequence[float],
        scale: Sequence[float],
        weights: Mapping[str, Pretrained] | None = None,
    ) -> None:
        super().__init__()
        self.architecture = architecture
        single = architecture.head == "single"
        built = [
            build_encoder(
                name,
                channels=group,
                outputs=1 if single else architecture.features,
                image_size=architecture.image_size,
                pretrained=(weights or {}).get(name),
            )
            for name, group in zip(architecture.encoders, architecture.channels, strict=True)
        ]
        self.encoders = nn.ModuleList(encoder for encoder, _ in built)
        self.loaded: list[Loaded | None] = [loaded for _, loaded in built]
        self.head = build_head(architecture.head, len(self.encoders), architecture.features)
        self.register_buffer("shift", torch.tensor(shift, dtype=torch.float32).view(1, -1, 1, 1))
        self.register_buffer("scale", torch.tensor(scale, dtype=torch.float32).view(1, -1, 1, 1))
        stack = architecture.stack
        self._groups = [[stack.index(name) for name in group] for group in architecture.channels]

    def forward(self, patches: Tensor) -> Tensor:
        """Logits (n,) of patches (n, channel, row, column), as stored, in order of `stack`."""
        logits: Tensor = self.head(self.encode(patches))
        return logits

    def encode(self, patches: Tensor) -> Tensor:
        """Features (n, inputs * features) of all encoders, which the head reads."""
        small = (patches - self.shift) / self.scale
        features = [
            encoder(self._input(small[:, group]))
            for encoder, group in zip(self.encoders, self._groups, strict=True)
        ]
        return torch.cat(features, dim=1)

    def without(self, patches: Tensor, absent: Sequence[str]) -> Tensor:
        """Patches of which some channels read as 0 once scaled, as modality dropout has them."""
        stack = self.architecture.stack
        places = [stack.index(name) for name in absent if name in stack]
        patches = patches.clone()
        patches[:, places] = self.shift[:, places]
        return patches

    def _input(self, images: Tensor) -> Tensor:
        """Enlarge; channels innermost."""
        size = self.architecture.image_size
        if images.shape[-2:] != (size, size):
            images = functional.interpolate(
                images, (size, size), mode="bilinear", align_corners=False
            )
        return images.contiguous(memory_format=torch.channels_last)


def blank_network(architecture: Architecture, device: torch.device) -> MultiEncoder:
    """Build a network to count what it is made of: untrained, and scaling changes nothing."""
    ones = [1.0] * len(architecture.stack)
    with device:
        return MultiEncoder(architecture, shift=[0.0] * len(ones), scale=ones).eval()
