"""Where the project is, and how a user's file overrides its config."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[1]


def shipped_config() -> dict[str, Any]:
    """config.yaml as it ships, to be changed at will."""
    # Through JSON, because YAML's anchors make sections share one dict.
    return dict(json.loads(json.dumps(yaml.safe_load((ROOT / "config.yaml").read_text()))))


def merge(base: dict[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Override keys of `base` as Snakemake does with a second config file."""
    for key, value in over.items():
        if isinstance(value, Mapping) and isinstance(base.get(key), Mapping):
            merge(base[key], value)
        else:
            base[key] = value
    return base
