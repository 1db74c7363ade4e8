"""A trained network on disk: weights as safetensors, the rest as JSON beside them."""

from functools import partial
from pathlib import Path
from typing import Any, get_args

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save

from landslip.io.files import InputError, atomic_path, copy_file, file_digest, write_json
from landslip.models.meta_device import prefer_meta_device
from landslip.models.model_files import read_model
from landslip.models.network import Architecture, MultiEncoder, blank_network
from landslip.models.settings import Training

FORMAT_VERSION = 1
PRECISIONS = ("float32", "bfloat16", "float16")
# Threads of one network: more than any processor has cores.
_MOST_THREADS = 1024
# Settings of a training that prediction reads.
_READ_SETTINGS = ("tta", "compile", "precision")
# Number format of stored weights -> its name in safetensors.
STORED_AS = {"float32": "F32", "bfloat16": "BF16"}
_TYPES = {torch.float32: "F32", torch.int64: "I64", torch.bool: "BOOL"}


def save_network(
    model: MultiEncoder, *, weights: Path, description: Path, metadata: dict[str, Any]
) -> None:
    """Write the weights and a JSON that suffices to load and apply them.

    Parameters
    ----------
    model
        The trained network.
    weights, description
        Where they go, in one folder.
    metadata
        What else a reader wants to know (model name, fold, seed, precision, test-time
        augmentation); plain JSON values.
    """
    state = {
        name: tensor.detach().cpu().contiguous() for name, tensor in model.state_dict().items()
    }
    with atomic_path(weights) as temporary:
        temporary.write_bytes(save(state))
    write_json(
        description,
        {
            "format_version": FORMAT_VERSION,
            "kind": "network",
            "weights": weights.name,
            "sha256": file_digest(weights),
            "architecture": model.architecture.as_json(),
            **metadata,
        },
    )


def copy_network(description: Path, folder: Path, *, weights: str) -> None:
    """Write a network's files into another folder, its weights in another number format.

    Parameters
    ----------
    description
        model.json; weights beside it.
    folder
        Where they go, under the same names.
    weights
        float32, the same bytes; or bfloat16: rounded, half the room.

    Raises
    ------
    InputError
        As of `load_network`.
    """
    metadata, source = _read(description)
    target = folder / source.name
    if weights == "float32":
        copy_file(source, target)
        write_json(folder / description.name, metadata)
        return
    state = {
        name: value.to(torch.bfloat16) if value.dtype == torch.float32 else value
        for name, value in load_file(source).items()
    }
    with atomic_path(target) as temporary:
        temporary.write_bytes(save(state))
    write_json(
        folder / description.name,
        {**metadata, "sha256": file_digest(target), "stored_as": "bfloat16"},
    )


def round_weights(model: MultiEncoder) -> None:
    """Round a network's weights as `copy_network` does, in place."""
    for value in model.state_dict().values():
        if value.dtype == torch.float32:
            value.copy_(value.to(torch.bfloat16))


def load_network(description: Path) -> tuple[MultiEncoder, dict[str, Any]]:
    """Rebuild a network from its JSON and the weights beside it.

    Returns
    -------
    model
        On the CPU, in evaluation mode.
    metadata
        The JSON's content.

    Raises
    ------
    InputError
        Another format version, a value out of its range, a weight file outside the folder,
        damaged or not of this network. Nothing is fetched and no other folder read, whatever the
        JSON says; weights are read only if their header fits it.
    """
    metadata, weights = _read(description)
    try:
        architecture = Architecture.from_json(metadata["architecture"])
    except ValueError as error:
        raise InputError(f"{description}: architecture: {error}; train it anew") from error
    stored = STORED_AS[metadata.get("stored_as", "float32")]
    _check_shapes(architecture, weights, description, stored)
    model = _build(architecture, description)
    try:
        # Torch converts what is stored in another format to the network's own.
        model.load_state_dict(load_file(weights))
    except (SafetensorError, RuntimeError) as error:
        raise InputError(f"{weights} does not fit {description}: {error}") from error
    if not all(value.isfinite().all() for value in model.state_dict().values()):
        raise InputError(f"{weights} holds weights that are not finite; train it anew")
    return model.eval(), metadata


def _read(description: Path) -> tuple[dict[str, Any], Path]:
    """What a model's JSON says, with values as `save_network` writes them; and its weights."""
    metadata, weights = read_model(description, kinds=["network"], version=FORMAT_VERSION)
    settings = metadata.get("settings", {"training": {}})
    training = settings.get("training") if isinstance(settings, dict) else None
    if "architecture" not in metadata or not isinstance(training, dict):
        raise InputError(
            f"{description} lacks architecture or settings.training; train the model again"
        )
    for where, values, key, allowed in (
        ("", metadata, "precision", PRECISIONS),
        ("", metadata, "tta", _choices("tta")),
        ("", metadata, "stored_as", tuple(STORED_AS)),
        *(("settings.training.", training, key, _choices(key)) for key in _READ_SETTINGS),
    ):
        if key in values and values[key] not in allowed:
            raise InputError(
                f"{description}: {where}{key} is {values[key]!r}, expected one of "
                f"{', '.join(allowed)}"
            )
    threads = metadata.get("threads", 1)
    if type(threads) is not int or not 1 <= threads <= _MOST_THREADS:
        raise InputError(
            f"{description}: threads is {threads!r}, expected a number from 1 to {_MOST_THREADS}"
        )
    return metadata, weights


def _choices(key: str) -> tuple[str, ...]:
    """Values that a setting of a training may have."""
    return get_args(Training.model_fields[key].annotation)


def _check_shapes(
    architecture: Architecture, weights: Path, description: Path, stored: str
) -> None:
    """Compare names, types and shapes in the header with the network's, before memory is taken."""
    state = _build(architecture, description, meta=True).state_dict()
    try:
        with safe_open(weights, framework="pt") as opened:
            found = {
                name: (part.get_dtype(), tuple(part.get_shape()))
                for name in opened.keys()  # noqa: SIM118 (it is no mapping)
                for part in [opened.get_slice(name)]
            }
    except (SafetensorError, OSError) as error:
        raise InputError(f"{weights} is not a safetensors file ({error})") from error
    types = _TYPES | {torch.float32: stored}
    expected = {
        name: (types.get(value.dtype, str(value.dtype)), tuple(value.shape))
        for name, value in state.items()
    }
    for name in [*expected, *found]:
        if found.get(name) != expected.get(name):
            raise InputError(
                f"{weights} does not fit {description}: {name} is {_say(found.get(name))}, "
                f"expected {_say(expected.get(name))}; train it anew"
            )


def _build(architecture: Architecture, description: Path, *, meta: bool = False) -> MultiEncoder:
    """An untrained network, where possible on the meta device if that is asked for.

    What timm says of an encoder that it cannot build names the file.
    """
    build = partial(blank_network, architecture)
    try:
        return prefer_meta_device(build) if meta else build(torch.device("cpu"))
    except (RuntimeError, AssertionError, ValueError, TypeError) as error:
        raise InputError(
            f"{description}: {', '.join(architecture.encoders)} with images of "
            f"{architecture.image_size} pixels cannot be built ({error}); train it anew"
        ) from error


def _say(found: tuple[str, tuple[int, ...]] | None) -> str:
    return "absent" if found is None else f"{found[0]} of shape {list(found[1])}"
