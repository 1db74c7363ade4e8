"""Where the project is, and how a user's file overrides its config."""

import json
from pathlib import Path
from typing import Any

import yaml

from landslip.config.merge import merge_config

ROOT = Path(__file__).parents[1]


def shipped_config() -> dict[str, Any]:
    """config.yaml as it ships, to be changed at will."""
    # Through JSON, because YAML's anchors make sections share one dict.
    return dict(json.loads(json.dumps(yaml.safe_load((ROOT / "config.yaml").read_text()))))


def shipped_ablation() -> dict[str, Any]:
    """config.yaml with the tables of the ablation."""
    path = ROOT / "resources" / "configs" / "ablation.yaml"
    return merge_config(shipped_config(), yaml.safe_load(path.read_text()))
