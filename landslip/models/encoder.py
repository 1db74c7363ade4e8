"""timm's models as encoders of patches, at a random start or with pretrained weights that fit."""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path
from typing import Any

import timm
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from landslip.io.files import InputError
from landslip.models.timm_models import (
    classifier_prefixes,
    first_layers,
    native_input,
    tensor_shapes,
)
from landslip.models.weights import Pretrained

log = logging.getLogger(__name__)

# What programs put before the names of an encoder's tensors when it is a part of something else.
_PREFIXES = ("backbone.", "module.", "encoder.", "model.")
# What timm raises on tensors of other names and shapes, here and there.
_MISFITS = (RuntimeError, KeyError, IndexError, ValueError, TypeError, AttributeError,
            AssertionError)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """How much of an encoder came from its pretrained weights."""

    tensors: int
    """Of the encoder."""
    loaded: int
    """From the file, adapted or as they are; the others are the classifier's."""
    prefix: str
    """Taken off the names in the file."""


def build_encoder(
    name: str, *, channels: Sequence[str], outputs: int, image_size: int,
    pretrained: Pretrained | None = None,
) -> tuple[nn.Module, Loaded | None]:  # fmt: skip
    """A timm model that reads `channels` and has `outputs` outputs.

    Parameters
    ----------
    name
        timm's name, architecture.tag.
    channels
        Names of what it reads.
    outputs
        Numbers that it gives for an image.
    image_size
        Rows and columns of an image, pixels.
    pretrained
        Weights to start from. Without named bands, timm itself adapts the first layer to the
        number of channels; with them, `map_bands` does. None: random start.

    Returns
    -------
    encoder, how much of it was loaded

    Raises
    ------
    InputError
        A tensor of the encoder is not in the weights, or has another shape there, for another
        reason than the number of channels or outputs.

    Notes
    -----
    Models whose input size is fixed (ViT's position embedding, MaxViT's relative positions) are
    given the image size; timm then resamples what depends on it.
    """
    options: dict[str, Any] = {"in_chans": len(channels), "num_classes": outputs}
    config = timm.get_pretrained_cfg(name)
    if config is not None and config.fixed_input_size:
        options["img_size"] = image_size
    if pretrained is None:
        encoder, loaded = timm.create_model(name, pretrained=False, **options), None
    else:
        encoder, loaded = _load(name, options, channels, pretrained)
    return encoder, loaded


def check_fit(name: str, pretrained: Pretrained) -> Loaded:
    """Refuse weights that do not fit timm's model `name`, whatever will read it.

    Raises
    ------
    InputError
        As `build_encoder` does.
    """
    size = native_input(name)[-1]
    channels = pretrained.bands or ("1", "2", "3")
    _, loaded = build_encoder(
        name, channels=channels, outputs=1, image_size=size, pretrained=pretrained
    )
    assert loaded is not None
    return loaded


def map_bands(weight: Tensor, bands: Sequence[str], channels: Sequence[str]) -> Tensor:
    """Filters of a first layer for other channels than it was trained on.

    Parameters
    ----------
    weight : (output, band, row, column)
        Filters of the first layer.
    bands
        Names of the inputs that the filters were trained on.
    channels
        Names of the inputs to come.

    Returns
    -------
    (output, channel, row, column)
        A channel that is one of the bands has that band's filters, another the mean of all; all
        times bands / channels, by which timm too keeps the size of the layer's output.
    """
    mean = weight.mean(dim=1)
    filters = [
        weight[:, bands.index(channel)] if channel in bands else mean for channel in channels
    ]
    return torch.stack(filters, dim=1) * (len(bands) / len(channels))


def _load(
    name: str, options: Mapping[str, Any], channels: Sequence[str], pretrained: Pretrained
) -> tuple[nn.Module, Loaded]:
    path, bands = pretrained.path, pretrained.bands
    try:
        state = load_file(path)
    except (SafetensorError, OSError) as error:
        raise InputError(f"{path} is not a safetensors file ({error})") from error
    expected = tensor_shapes(name)
    state, prefix = _without_prefix(state, expected)
    if prefix:
        log.info("%s: the prefix %r is taken off the names of its tensors", path, prefix)
    _refuse_values(path, state)
    firsts = first_layers(name)
    width = _width(state, firsts, name, expected)
    if bands is None and width not in (1, native_input(name)[0]):
        raise InputError(
            f"{path} reads {width} bands, {name} of timm {native_input(name)[0]}: name the bands "
            f"of the file, in its order, in encoders.<name>.bands (as the channels of the config "
            f"are named where they are the same)"
        )
    if bands is not None and len(bands) != width:
        raise InputError(
            f"encoders.<name>.bands names {len(bands)} bands ({', '.join(bands)}), {path} reads "
            f"{width}; name every band of the file, in its order"
        )
    overlay = {"state_dict": state, "input_size": (width, *native_input(name)[1:])}
    wanted = {**options, "in_chans": width} if bands is not None else options
    with _recorded_loads() as results:
        try:
            encoder = timm.create_model(
                name, pretrained=True, pretrained_cfg_overlay=overlay, **wanted
            )
        except _MISFITS as error:
            raise _misfit(path, name, state, expected, str(error)) from error
    # timm keeps its configuration; the tensors would stay in memory with it.
    configuration: Any = encoder.pretrained_cfg
    configuration.pop("state_dict", None)
    classifier = classifier_prefixes(name)
    missing = [key for result in results for key in result.missing_keys]
    astray = [key for key in missing if not key.startswith(classifier)]
    inside = {key.split(".")[0] for key in encoder.state_dict()}
    spare = [key for result in results for key in result.unexpected_keys]
    spare = [key for key in spare if not key.startswith(classifier)]
    deeper = [key for key in spare if key.split(".")[0] in inside]
    if astray or deeper or not results:
        raise _misfit(path, name, state, expected, "", missing=astray, deeper=deeper)
    if spare:
        log.warning("%s: %d tensors are not of %s and left out: %s", path, len(spare), name,
                    _examples(spare))  # fmt: skip
    if bands is not None:
        encoder = _for_channels(name, encoder, options, firsts, bands, channels, path)
    tensors = len(encoder.state_dict())
    loaded = Loaded(tensors=tensors, loaded=tensors - len(missing), prefix=prefix)
    log.info("%s: %d of the %d tensors of %s loaded", path, loaded.loaded, tensors, name)
    return encoder, loaded


def _refuse_values(path: Path, state: Mapping[str, Tensor]) -> None:
    """Refuse tensors that no training can start from, for it would blame its first patches."""
    damaged = [
        key for key, value in state.items() if value.is_floating_point()
        and value.element_size() > 1 and not bool(value.isfinite().all())
    ]  # fmt: skip
    if damaged:
        raise InputError(
            f"{path} holds NaN or infinity in {len(damaged)} tensors, {_examples(damaged)}; the "
            "training that made them failed: take another file"
        )
    quantised = [
        key for key, value in state.items()
        if value.element_size() == 1 and value.dtype is not torch.bool
    ]  # fmt: skip
    if quantised:
        raise InputError(
            f"{path} holds numbers of 8 bits in {len(quantised)} tensors, {_examples(quantised)}: "
            "a quantised copy; take the weights in float32 or float16"
        )


def _for_channels(
    name: str, donor: nn.Module, options: Mapping[str, Any], firsts: Sequence[str],
    bands: Sequence[str], channels: Sequence[str], path: Path,
) -> nn.Module:  # fmt: skip
    """The encoder of `channels` with the weights of `donor`, which reads `bands`."""
    state = donor.state_dict()
    encoder: nn.Module = timm.create_model(name, pretrained=False, **options)
    for first in firsts:
        weight = state.get(f"{first}.weight")
        if weight is not None and weight.ndim == 4 and weight.shape[1] == len(bands):
            state[f"{first}.weight"] = map_bands(weight, bands, channels)
    try:
        encoder.load_state_dict(state)
    except RuntimeError as error:
        raise InputError(
            f"{path}: the first layer of {name} is no plain convolution over bands, so that "
            "encoders.<name>.bands cannot be mapped to channels; take another encoder"
        ) from error
    named = [channel for channel in channels if channel in bands]
    others = [channel for channel in channels if channel not in bands]
    log.info("%s: channels with their band's filters: %s; with the mean of all: %s",
             path, ", ".join(named) or "none", ", ".join(others) or "none")  # fmt: skip
    return encoder


def _without_prefix(
    state: dict[str, Tensor], expected: Iterable[str]
) -> tuple[dict[str, Tensor], str]:
    """Tensors whose names begin with a known prefix, without it, if more of them then fit."""
    wanted = set(expected)
    best, prefix = len(wanted & state.keys()), ""
    for depth in (1, 2, 3):
        for parts in permutations(_PREFIXES, depth):
            candidate = "".join(parts)
            fitting = sum(
                key.startswith(candidate) and key[len(candidate) :] in wanted for key in state
            )
            if fitting > best:
                best, prefix = fitting, candidate
    if not prefix:
        return state, ""
    return {
        key[len(prefix) :]: value for key, value in state.items() if key.startswith(prefix)
    }, prefix


def _width(
    state: Mapping[str, Tensor], firsts: Sequence[str], name: str,
    expected: Mapping[str, tuple[int, ...]],
) -> int:  # fmt: skip
    """Bands that weights read: timm's own number, unless their first layer says otherwise."""
    native = native_input(name)[0]
    for first in firsts:
        weight, shape = state.get(f"{first}.weight"), expected.get(f"{first}.weight")
        if weight is not None and shape is not None and weight.ndim == len(shape) == 4:
            # Some first layers read each channel several times, as pixels side by side.
            width, rest = divmod(weight.shape[1] * native, shape[1])
            if not rest:
                return int(width)
    return native


def _misfit(
    path: Path, name: str, state: Mapping[str, Tensor],
    expected: Mapping[str, tuple[int, ...]], error: str, *,
    missing: Sequence[str] = (), deeper: Sequence[str] = (),
) -> InputError:  # fmt: skip
    """Say how weights and encoder differ, and why that is likely so."""
    classifier = classifier_prefixes(name)
    wanted = {key: shape for key, shape in expected.items() if not key.startswith(classifier)}
    absent = list(missing) or [key for key in wanted if key not in state]
    firsts = {f"{first}.weight" for first in first_layers(name)}
    other = [
        key for key, shape in wanted.items()
        if key in state and key not in firsts and tuple(state[key].shape) != shape
    ]  # fmt: skip
    sentences = [f"{path} does not fit {name}"]
    if absent:
        sentences.append(f"{len(absent)} of {len(wanted)} tensors are missing, {_examples(absent)}")
    if other:
        sentences.append(f"{len(other)} of {len(wanted)} have another shape, {_examples(other)}")
    if deeper:
        sentences.append(f"{len(deeper)} are of layers that it does not have, {_examples(deeper)}")
    if not absent and not other and not deeper:
        sentences.append(error.strip().splitlines()[0] if error.strip() else "nothing was loaded")
    foreign = [key for key in state if key not in expected]
    if foreign:
        sentences.append(f"the file holds other names, {_examples(foreign)}")
    shared = len(wanted.keys() & state.keys())
    cause = (
        "it is probably of another architecture or size: name that in encoders.<name>.timm"
        if shared or not foreign
        else "its names are not timm's: it is of another library or architecture, or has a prefix "
        f"other than {', '.join(_PREFIXES)}"
    )
    return InputError("; ".join(sentences) + f". {cause[0].upper()}{cause[1:]}")


def _examples(names: Sequence[str]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return f"such as {', '.join(names[:3])}{more}"


@contextmanager
def _recorded_loads() -> Iterator[list[Any]]:
    """What `load_state_dict` answers while timm builds a model, which only logs it."""
    results: list[Any] = []
    original = nn.Module.load_state_dict

    def record(self: nn.Module, *arguments: Any, **options: Any) -> Any:
        result = original(self, *arguments, **options)
        results.append(result)
        return result

    setattr(nn.Module, "load_state_dict", record)  # noqa: B010 (a method is not assigned to)
    try:
        yield results
    finally:
        setattr(nn.Module, "load_state_dict", original)  # noqa: B010 (as above)
