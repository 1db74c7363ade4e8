"""What a drawing says of a model, worked out from the config."""

from typing import Any

from landslip.config import Config, Network
from landslip.study.plan import Job, Plan

_TREE_SETTINGS = (
    "trees",
    "learning_rate",
    "leaves",
    "max_depth",
    "subsample",
    "colsample",
    "positive_weight",
    "l2",
)


def outline(config: Config, job: Job) -> dict[str, Any]:
    """A model as builtins, in the words of the classes in `landslip.study.model_drawing`.

    Returns
    -------
    dict
        kind; of a network the keys of NetworkPlan, of trees those of TreePlan.
    """
    model = job.settings
    if isinstance(model, Network):
        return {
            "kind": "network",
            "architecture": {
                "channels": [config.channels_of(group) for group in model.groups],
                "encoders": [encoder.timm for encoder in job.encoders],
                "head": model.head,
                "features": model.features,
                "image_size": model.training.image_size,
            },
            "inputs": [" + ".join(group) for group in model.groups],
            "encoders": list(model.encoders),
            "pretrained": [encoder.pretrained for encoder in job.encoders],
            "scaling": model.scaling,
            "scaling_fit": job.scaling_fit,
        }
    read = set(config.channels_of(model.inputs))
    channels = {
        name: [channel for channel in group if channel in read]
        for name, group in config.modalities.items()
    }
    settings = model.model_dump(mode="json")
    return {
        "kind": model.kind,
        "channels": {name: group for name, group in channels.items() if group},
        "statistics": list(model.statistics),
        "settings": {key: settings[key] for key in _TREE_SETTINGS if key in settings},
    }


def drawn_models(plan: Plan) -> dict[str, str]:
    """Names under which a model can be drawn -> its job: its own, or `table.variant`."""
    variants = {
        f"{table}.{row.variant}": row.members[0]
        for table, rows in plan.tables.items()
        for row in rows
        if len(row.members) == 1
    }
    return variants | {name: name for name in plan.jobs}


def variant_names(config: Config, plan: Plan) -> dict[str, str]:
    """Jobs that only variants need -> what a person calls them: `table: variant`, the first."""
    names: dict[str, str] = {}
    for table, rows in plan.tables.items():
        for row in rows:
            if len(row.members) == 1 and row.members[0] not in config.models:
                names.setdefault(row.members[0], f"{table}: {row.variant}")
    return names
