"""A small finished map whose truth is known, as a folder."""

from pathlib import Path

import numpy as np
import pandas as pd
import rasterio
import shapely

from landslip.scene.cells import Cells, paint
from landslip.scene.geopackage import write_geopackage
from landslip.scene.rasters import Grid
from landslip.scene.tiles import NODATA, STEPS
from landslip.scene.zones import find_blind_spots, find_zones

GRID = Grid(crs="EPSG:32633", left=4e5, top=5.2e6, across=10, down=10, width=239, height=198)
CELLS = Cells(height=198, width=239, patch=8, stride=4)
THRESHOLD = 0.6
UNITS = ("North", "South")


def cell_table() -> pd.DataFrame:
    """Cells as the tiles of a map hold them: smooth probabilities, and clouds in a corner."""
    rows, columns = (axis.ravel() for axis in np.indices((CELLS.rows, CELLS.columns)))
    wave = np.sin(rows / 5) * np.sin(columns / 7)
    cloud = (rows < 8) & (columns < 8)
    return pd.DataFrame(
        {
            "row": rows,
            "column": columns,
            "probability": np.where(cloud, np.nan, np.round((wave + 1) / 2 * STEPS) / STEPS),
            "threshold": THRESHOLD,
            "sensors": "optical",
            "observed": np.where(cloud, 0.0, 1.0),
            "cloud": np.where(cloud, 1.0, 0.0),
            "layover": 0.0,
        }
    )


def write_map(folder: Path, tags: dict[str, str] | None = None, with_units: bool = True) -> Path:
    """Write probability.tif and zones.gpkg."""
    folder.mkdir(parents=True)
    table = cell_table()
    scores = table["probability"].to_numpy().reshape(CELLS.rows, CELLS.columns)
    pixels = paint(scores, CELLS.stride, CELLS.height, CELLS.width)
    steps = np.where(np.isnan(pixels), NODATA, np.nan_to_num(pixels) * STEPS).round()
    profile = {
        "driver": "GTiff", "width": GRID.width, "height": GRID.height, "count": 2,
        "dtype": "uint8", "crs": GRID.crs, "transform": GRID.transform, "nodata": NODATA,
    }  # fmt: skip
    with rasterio.open(folder / "probability.tif", "w", **profile) as target:
        target.write(steps.astype(np.uint8), 1)
        if tags is None:
            tags = {"STRIDE": "4", "PATCH": "8", "SCENE": "Hill", "BUNDLE": "f" * 64}
        target.update_tags(**tags)
    zones = find_zones(table, GRID, CELLS).drop(columns=["peak_row", "peak_column"])
    layers = {"zones": zones, "blind_spots": find_blind_spots(table, GRID, CELLS)}
    if with_units:
        left, bottom, right, top = GRID.bounds
        middle = (bottom + top) / 2
        halves = [shapely.box(left, middle, right, top), shapely.box(left, bottom, right, middle)]
        layers["units"] = pd.DataFrame({"name": UNITS, "geometry": halves})
    write_geopackage(layers, {}, GRID.crs, folder / "zones.gpkg")
    return folder
