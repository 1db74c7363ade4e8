"""A simulated scene that tests read, change and interpret."""

from pathlib import Path
from typing import Any

import yaml

from landslip.scene.interpreter import ChannelConventions, Interpretation, interpret_scene
from landslip.scene.layers import CHANNELS
from project import ROOT

ROWS, COLUMNS = 260, 300
SIZES: dict[str, Any] = {"rows": ROWS, "columns": COLUMNS, "slides": 6, "cloud": 0.15}
SEED = 3
CONVENTIONS = ChannelConventions(channels=CHANNELS)
# Real products that do not belong to the project; tests of them are left out elsewhere.
SHARED = ROOT.parent / "shared" / "data" / "scene"


def edit_scene(folder: Path, **changes: Any) -> Path:
    """Set top-level keys of a scene file; None takes one out."""
    path = folder / "scene.yaml"
    said = yaml.safe_load(path.read_text())
    said.update(changes)
    path.write_text(yaml.safe_dump({k: v for k, v in said.items() if v is not None}))
    return path


def interpret(folder: Path, **changes: Any) -> Interpretation:
    """The verdicts on a folder's scene."""
    path = edit_scene(folder, **changes) if changes else folder / "scene.yaml"
    return interpret_scene(path, CONVENTIONS)


def judgements(found: Interpretation) -> dict[str, str]:
    """Check -> judgement, of those that are not ok."""
    return {each.check: each.judgement for each in found.verdicts if each.judgement != "ok"}
