"""A trained network on disk: weights as safetensors, the rest as JSON beside them."""

from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file, save

from landslip.files import InputError, atomic_path, file_digest, read_json, write_json
from landslip.models.network import Architecture, MultiEncoder

FORMAT_VERSION = 1


def save_network(
    model: MultiEncoder, *, weights: Path, description: Path, facts: dict[str, Any]
) -> None:
    """Write the weights and a JSON that suffices to load and apply them.

    Parameters
    ----------
    facts
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
            **facts,
        },
    )


def load_network(description: Path) -> tuple[MultiEncoder, dict[str, Any]]:
    """Rebuild a network from its JSON and the weights beside it.

    Returns
    -------
    model
        On the CPU, in evaluation mode.
    facts
        The JSON's content.

    Raises
    ------
    InputError
        Another format version, a weight file outside the folder, damaged or not of this network.
    """
    facts = read_json(description)
    if facts.get("format_version") != FORMAT_VERSION or facts.get("kind") != "network":
        raise InputError(
            f"{description}: expected a network of format {FORMAT_VERSION}, got "
            f"{facts.get('kind')!r} of format {facts.get('format_version')!r}; train it anew"
        )
    missing = sorted({"weights", "sha256", "architecture"} - facts.keys())
    if missing:
        raise InputError(f"{description} lacks {', '.join(missing)}; train it anew")
    weights = description.parent / str(facts["weights"])
    outside = weights.name != facts["weights"] or weights.name in ("", ".", "..")
    if outside or weights.is_symlink():
        raise InputError(f"{description}: weights {facts['weights']!r} is outside the model folder")
    if not weights.is_file():
        raise InputError(f"{weights} is missing; train it anew")
    if file_digest(weights) != facts["sha256"]:
        raise InputError(f"{weights} is damaged (its digest differs from {description.name}'s)")
    architecture = Architecture.from_json(facts["architecture"])
    blank = [0.0] * len(architecture.stack)
    model = MultiEncoder(architecture, shift=blank, scale=blank)
    try:
        model.load_state_dict(load_file(weights))
    except (SafetensorError, RuntimeError) as error:
        raise InputError(f"{weights} does not fit {description}: {error}") from error
    return model.eval(), facts
