"""How a second config file overrides the first."""

from collections.abc import Mapping
from typing import Any

# Sections whose keys are names that the user chooses.
NAMED = ("units", "channels", "indices", "encoders", "models")


def merge_config(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Override keys of config.yaml by those of a second file, section by section.

    In `units`, `channels`, `indices`, `encoders` and `models` a null takes an entry out, so that a
    second file can say that its data lacks a channel.

    Notes
    -----
    Order counts: channels stand in the order of the patches' last axis. Entries keep the order of
    `base` and new ones come last, so that changing one channel's unit moves nothing; a second
    file that names every entry of a section sets the order itself. Snakemake's own merge would put
    whatever the second file names first.
    """
    merged = override(base, over)
    for section in NAMED:
        entries = merged.get(section)
        if not isinstance(entries, dict):
            continue
        kept = {name: entry for name, entry in entries.items() if entry is not None}
        named = over.get(section)
        if isinstance(named, Mapping) and kept.keys() <= named.keys():
            kept = {name: kept[name] for name in named if name in kept}
        merged[section] = kept
    return merged


def override(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Keys of `over` in place of those of `base`, mapping by mapping."""
    merged = dict(base)
    for key, value in over.items():
        old = merged.get(key)
        if isinstance(old, Mapping) and isinstance(value, Mapping):
            merged[key] = override(old, value)
        else:
            merged[key] = value
    return merged


def restate(over: Mapping[str, Any], checked: Mapping[str, Any]) -> dict[str, Any]:
    """Give a second file's keys the values that they have once checked.

    Parameters
    ----------
    over
        Keys and values as they were written.
    checked
        The whole config after its check, as builtins: paths have one spelling there.

    Returns
    -------
    dict
        The keys of `over`, in its order. Those that the check took out keep their null.
    """
    stated = {}
    for key, value in over.items():
        after = checked.get(key, value)
        both = isinstance(value, Mapping) and isinstance(after, Mapping)
        stated[key] = restate(value, after) if both else after
    return stated
