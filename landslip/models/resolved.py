"""A model of the config with all that its names stand for: what its jobs are made with."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from landslip.features.names import feature_columns
from landslip.models.encoder_check import Use
from landslip.models.settings import Encoder, Model, Network


@dataclass(frozen=True, kw_only=True)
class ResolvedModel:
    """Settings of one model, its channels, encoders and scaling."""

    settings: Model
    """Inputs of trees stand by channel; those of networks as the config names them."""
    inputs: list[dict[str, list[str]]]
    """Of each encoder, or of trees: modality or channel -> its channels."""
    encoders: list[Encoder]
    """Of each input of a network."""
    scaling_fit: str
    """Patches that a network's scaling parameters are computed on."""

    @property
    def channels(self) -> list[list[str]]:
        """Channels of each input, in order, each once."""
        return [_once(name for part in parts.values() for name in part) for parts in self.inputs]

    @property
    def parts(self) -> dict[str, list[str]]:
        """Every modality or channel that the model reads -> its channels."""
        return {name: channels for parts in self.inputs for name, channels in parts.items()}

    @property
    def columns(self) -> list[str]:
        """Features that trees read, in order; none of a network."""
        if isinstance(self.settings, Network):
            return []
        return feature_columns(self.channels[0], self.settings.statistics)

    @property
    def architecture(self) -> dict[str, Any] | None:
        """Values of `landslip.models.network.Architecture`; None of trees."""
        if not isinstance(self.settings, Network):
            return None
        return {
            "channels": self.channels,
            "encoders": [encoder.timm for encoder in self.encoders],
            "head": self.settings.head,
            "features": self.settings.features,
            "image_size": self.settings.training.image_size,
        }

    @property
    def pretrained(self) -> list[str]:
        """Names that timm gives the encoders that start from pretrained weights."""
        return sorted({encoder.timm for encoder in self.encoders if encoder.pretrained})

    @property
    def encoder_uses(self) -> list[Use]:
        """How a network uses its encoders."""
        if not isinstance(self.settings, Network):
            return []
        size = self.settings.training.image_size
        return [
            Use(timm=encoder.timm, channels=len(channels), image_size=size)
            for encoder, channels in zip(self.encoders, self.channels, strict=True)
        ]

    def params(self) -> dict[str, Any]:
        """Settings that decide the result, as builtins in the order of their classes."""
        return self.settings.model_dump(mode="json", exclude={"training": {"save_minutes"}})

    def identity(self) -> dict[str, Any]:
        """All that a training depends on, in words that do not depend on names in the config."""
        excluded = {"inputs", "encoder", "statistics", "training"}
        values: dict[str, Any] = self.settings.model_dump(mode="json", exclude=excluded)
        if isinstance(self.settings, Network):
            values["training"] = self.params()["training"]
            values["channels"] = self.channels
            values["encoders"] = [encoder.model_dump(mode="json") for encoder in self.encoders]
            values["scaling_fit"] = self.scaling_fit
        else:
            values["channels"] = self.channels[0]
            values["statistics"] = list(self.settings.statistics)
        return values


def resolve_model(
    settings: Model,
    *,
    modalities: Mapping[str, Sequence[str]],
    encoders: Mapping[str, Encoder],
    scaling_fit: str,
    pretrained: bool | None = None,
) -> ResolvedModel:
    """Replace the names in a model's settings by what they stand for.

    Parameters
    ----------
    settings
        Checked: every name stands for something.
    modalities
        Modality -> its channels, in the order of the store; other inputs are channels.
    encoders
        By their short names.
    scaling_fit
        Patches that scaling parameters are computed on.
    pretrained
        Of all encoders; None: as each says.
    """
    named: list[Encoder] = []
    if isinstance(settings, Network):
        inputs = [_parts(group, modalities) for group in settings.groups]
        named = [encoders[name] for name in settings.encoders]
        if pretrained is not None:
            named = [each.model_copy(update={"pretrained": pretrained}) for each in named]
    else:
        inputs = [_parts(settings.inputs, modalities)]
        # How the config spells the channels of trees is no part of what they are.
        channels = _once(name for part in inputs[0].values() for name in part)
        settings = settings.model_copy(update={"inputs": channels})
    return ResolvedModel(settings=settings, inputs=inputs, encoders=named, scaling_fit=scaling_fit)


def _parts(names: Iterable[str], modalities: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    return {name: list(modalities.get(name, [name])) for name in names}


def _once(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))
