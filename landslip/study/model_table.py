"""The table of models: what each reads, what it is made of, how many parameters it trains."""

from collections.abc import Mapping
from typing import Any

from landslip.config import Config, Network
from landslip.study.plan import Job, Plan


def variant_names(config: Config, plan: Plan) -> dict[str, str]:
    """Jobs that only variants need -> what a person calls them: `table: variant`, the first."""
    names: dict[str, str] = {}
    for table, rows in plan.tables.items():
        for row in rows:
            if len(row.members) == 1 and row.members[0] not in config.models:
                names.setdefault(row.members[0], f"{table}: {row.variant}")
    return names


def architecture(config: Config, job: Job) -> dict[str, Any]:
    """Channels and timm names of a network's encoders, its head and sizes, as builtins."""
    model = job.settings
    assert isinstance(model, Network)
    return {
        "channels": [config.channels_of(group) for group in model.groups],
        "encoders": [encoder.timm for encoder in job.encoders],
        "head": model.head,
        "features": model.features,
        "image_size": model.training.image_size,
    }


def outline(config: Config, job: Job) -> dict[str, Any]:
    """What the table says of a model, as builtins; `count_parameters` adds the rest.

    Returns
    -------
    dict
        kind; inputs: a name and its channels for each encoder of a network, for each modality that
        trees read; encoders; head; pretrained; architecture, of a network alone.
    """
    model = job.settings
    if isinstance(model, Network):
        built = architecture(config, job)
        names = [" + ".join(group) for group in model.groups]
        return {
            "kind": model.kind,
            "inputs": [list(pair) for pair in zip(names, built["channels"], strict=True)],
            "encoders": list(dict.fromkeys(built["encoders"])),
            "head": model.head,
            "pretrained": all(encoder.pretrained for encoder in job.encoders),
            "architecture": built,
        }
    read = set(config.channels_of(model.inputs))
    groups = {
        name: [channel for channel in channels if channel in read]
        for name, channels in config.modalities.items()
    }
    return {
        "kind": model.kind,
        "inputs": [[name, channels] for name, channels in groups.items() if channels],
        "encoders": [f"{', '.join(model.statistics)} of each channel"],
        "head": f"{model.trees:,} trees",
    }


def model_rows(models: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """One row a model: its name, what `outline` says of it, and its number of parameters."""
    rows = []
    for name, told in models.items():
        built = told.get("architecture")
        rows.append({"name": name, **told, "parameters": built and count_parameters(built)})
    return rows


def count_parameters(architecture: Mapping[str, Any]) -> int:
    """Number of parameters that are trained, counted on the network as it is built.

    Parameters
    ----------
    architecture
        As `architecture` gives it.
    """
    # Not where this is imported: planning reads this module, and torch takes seconds.
    import torch

    from landslip.models.network import Architecture, MultiEncoder

    made = Architecture.from_json(architecture)
    zeros = [0.0] * len(made.stack)
    # Tensors on torch's meta device have a shape and no content: 100 M weights take no time.
    with torch.device("meta"):
        network = MultiEncoder(made, shift=zeros, scale=[1.0] * len(zeros))
    return sum(parameter.numel() for parameter in network.parameters())
