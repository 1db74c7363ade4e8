"""Small simulated scenes side by side, looked at and listed as the workflow does."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from landslip.inventory.labels import LabelRule
from landslip.inventory.listing import Rules, write_window_listing
from landslip.inventory.negatives import Negatives
from landslip.inventory.windows import Cut, SceneRecord, look_at_scene
from landslip.io.files import read_json, read_parquet
from landslip.scene.cells import Cells
from landslip.scene.geopackage import write_geopackage
from landslip.scene.interpreter import ChannelConventions
from landslip.scene.layers import CHANNELS
from landslip.scene.zones import find_zones
from landslip.simulation.products import simulate_scene

SIZE = 32
SIDE = 192
# Of a map of such a scene.
CELLS = Cells(height=SIDE, width=SIDE, patch=SIZE, stride=SIZE // 2)
# Another order than that of scenes, which a config may have.
ORDER = [*reversed(CHANNELS)]
RULES: dict[str, Any] = {
    "label": LabelRule(min_area=2500),
    "layer": None,
    "date_column": None,
    "unknown_date": "use",
    "negatives": Negatives(per_positive=2, hard=0.5),
    "seed": 42,
    "scheme": "blocks",
    "block_size": 960.0,
}


@dataclass(frozen=True)
class Looked:
    """A scene, and what was found in it."""

    scene: Path
    record: Path
    table: Path

    @property
    def inventory(self) -> Path:
        """The outlines of its slides."""
        return self.scene.with_name("outlines.gpkg")


def make_scene(folder: Path, number: int, *, cloud: float = 0.1, slides: int = 6) -> Path:
    """Simulate one of several scenes, each on its own ground."""
    simulate_scene(
        folder, rows=SIDE, columns=SIDE, slides=slides, cloud=cloud, seed=10 + number,
        east=20_000 * number,
    )  # fmt: skip
    return folder / "scene.yaml"


def look(
    scene: Path,
    target: Path,
    *,
    channels: list[str] = ORDER,
    stride: int = SIZE,
    least_data: float = 0.8,
) -> Looked:
    """Interpret a scene and find its windows."""
    found = Looked(scene, target / "scene.json", target / "scene.parquet")
    look_at_scene(
        scene,
        ChannelConventions(channels=channels),
        Cut(size=SIZE, stride=stride, least_data=least_data),
        table=found.table,
        record=found.record,
    )
    return found


def list_windows(
    target: Path, train: list[Looked], test: list[Looked] | None = None, **changes: Any
) -> tuple[pd.DataFrame, list[str]]:
    """The listing and what is said of it; `inventories` are those of the scenes."""
    scenes = {"train": train, **({"test": test} if test else {})}
    inventories = changes.pop(
        "inventories", [each.inventory for of in scenes.values() for each in of]
    )
    write_window_listing(
        scenes={split: [(each.record, each.table) for each in of] for split, of in scenes.items()},
        inventories=inventories,
        judged=changes.pop("judged", None),
        rules=Rules(**{**RULES, **changes}),
        listing=target / "listing.parquet",
        listing_summary=target / "listing.json",
    )
    return read_parquet(target / "listing.parquet"), read_json(target / "listing.json")["notes"]


def write_zones(
    path: Path, record: SceneRecord, peaks: list[tuple[int, int]], verdicts: list[str]
) -> Path:
    """The zones of a map of one cell each, in the order of `peaks` (row, column of cells)."""
    rows, columns = (axis.ravel() for axis in np.indices((CELLS.rows, CELLS.columns)))
    probability = np.zeros((CELLS.rows, CELLS.columns))
    for number, peak in enumerate(peaks):
        probability[peak] = 0.95 - number / 100
    table = pd.DataFrame(
        {
            "row": rows, "column": columns, "probability": probability.ravel(), "threshold": 0.5,
            "sensors": "optical", "observed": 1.0, "cloud": 0.0, "layover": 0.0,
        }
    )  # fmt: skip
    zones = find_zones(table, record.reading.grid, CELLS)
    assert list(zip(zones["peak_row"], zones["peak_column"], strict=True)) == peaks
    zones = zones.drop(columns=["peak_row", "peak_column"]).assign(
        verdict=np.array(verdicts, object), scene=record.name, event=record.reading.layers.event
    )
    write_geopackage({"zones": zones}, {}, record.reading.grid.crs, path)
    return path
