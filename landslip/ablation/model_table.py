"""The table of models: what each reads, what it is made of, how many parameters it trains."""

from collections.abc import Mapping, Sequence
from typing import Any

from landslip.models.resolved import ResolvedModel
from landslip.models.settings import Network


def outline(model: ResolvedModel, modalities: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """What the table says of a model, as builtins; `count_parameters` adds the rest.

    Returns
    -------
    dict
        kind; inputs: a name and its channels for each encoder of a network, for each modality that
        trees read; encoders; head; pretrained; architecture, of a network alone.
    """
    settings = model.settings
    if isinstance(settings, Network):
        names = [" + ".join(parts) for parts in model.inputs]
        return {
            "kind": settings.kind,
            "inputs": [list(pair) for pair in zip(names, model.channels, strict=True)],
            "encoders": list(dict.fromkeys(encoder.timm for encoder in model.encoders)),
            "head": settings.head,
            "pretrained": all(encoder.pretrained for encoder in model.encoders),
            "architecture": model.architecture,
        }
    groups = {
        name: [channel for channel in channels if channel in settings.inputs]
        for name, channels in modalities.items()
    }
    return {
        "kind": settings.kind,
        "inputs": [[name, channels] for name, channels in groups.items() if channels],
        "encoders": [f"{', '.join(settings.statistics)} of each channel"],
        "head": f"{settings.trees:,} trees",
    }


def model_rows(models: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """One row a model: its name, what `outline` says of it, and its number of parameters."""
    rows = []
    for name, described in models.items():
        built = described.get("architecture")
        rows.append({"name": name, **described, "parameters": built and count_parameters(built)})
    return rows


def count_parameters(architecture: Mapping[str, Any]) -> int:
    """Number of parameters that are trained, counted on the network as it is built.

    Parameters
    ----------
    architecture
        Values of `landslip.models.network.Architecture`.
    """
    # Not where this is imported: planning reads this module, and torch takes seconds.
    from landslip.models.meta_device import prefer_meta_device
    from landslip.models.network import Architecture, blank_network

    made = Architecture.from_json(architecture)
    # Tensors on torch's meta device have a shape and no content: 100 M weights take no time.
    network = prefer_meta_device(lambda device: blank_network(made, device))
    return sum(parameter.numel() for parameter in network.parameters())
