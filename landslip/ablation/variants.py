"""The ablation's variants: those that the key `each` of a table makes, and their descriptions."""

import json
from collections.abc import Iterator
from itertools import combinations
from typing import Any

from landslip.config.ablation import Table, Variant
from landslip.config.schema import Config
from landslip.models.settings import TreeSettings


def describe(table: Table, variant: Variant) -> str:
    """A variant as the config says it: `pwee_v3 with head: V4`."""
    if isinstance(variant.members, str):
        return f"ensemble of {variant.members}"
    if variant.members is not None:
        return f"{'ensemble of ' if len(variant.members) > 1 else ''}{', '.join(variant.members)}"
    changed = {**variant.change}
    if variant.scaling_fit is not None:
        changed["scaling_fit"] = variant.scaling_fit
    if variant.pretrained is not None:
        changed["pretrained"] = variant.pretrained
    changes = ", ".join(f"{key}: {_as_text(value)}" for key, value in changed.items())
    base = variant.base or table.base
    return f"{base} with {changes}" if changes else base


def words_of(config: Config, table: Table) -> dict[str, str]:
    """Describe the variants whose names do not say what they are."""
    base = config.models.get(table.base)
    subsets: dict[str, Variant] = {}
    if table.each == "subsets" and isinstance(base, TreeSettings):
        subsets = dict(made_variants(config, table.each, base))
    return {name: describe(table, entry) for name, entry in (subsets | table.variants).items()}


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value).replace('"', "")


def made_variants(config: Config, each: str, base: TreeSettings) -> Iterator[tuple[str, Variant]]:
    """Variants that a table makes from the config by its key `each`."""
    inputs: list[str] = list(base.inputs)
    statistics: list[str] = list(base.statistics)
    if each == "subsets":
        for size in range(len(inputs), 0, -1):
            for subset in combinations(inputs, size):
                yield "_".join(subset), Variant(change={"inputs": list(subset)})
    elif each == "statistics":
        for left_out in statistics:
            kept = [name for name in statistics if name != left_out]
            if kept:
                yield f"without_{left_out}", Variant(change={"statistics": kept})
    else:
        channels = config.channels_of(inputs)
        for left_out in config.indices:
            if left_out in channels and len(channels) > 1:
                # Modalities stay by name, so that only the index's own is spelled out.
                inside = [
                    name
                    for item in inputs
                    for name in (
                        config.modalities[item]
                        if left_out in config.modalities.get(item, ())
                        else [item]
                    )
                    if name != left_out
                ]
                yield f"without_{left_out}", Variant(change={"inputs": inside})


def feature_groups(config: Config, tree: TreeSettings) -> dict[str, dict[str, list[str]]]:
    """Groupings of a tree model's features: by modality, by index, by statistic.

    Returns
    -------
    grouping -> group -> columns of the features
    """
    channels = config.channels_of(tree.inputs)
    modalities = {
        name: [channel for channel in inside if channel in channels]
        for name, inside in config.modalities.items()
    }
    indices = {name: [name] for name in config.indices if name in channels}
    groupings = {
        grouping: {
            group: [f"{channel}_{name}" for channel in inside for name in tree.statistics]
            for group, inside in groups.items()
            if inside
        }
        for grouping, groups in {"modality": modalities, "index": indices}.items()
    }
    groupings["statistic"] = {
        name: [f"{channel}_{name}" for channel in channels] for name in tree.statistics
    }
    return groupings
