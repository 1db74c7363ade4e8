"""The cells of a finished map: what it says of each, from the files that it was handed over as."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from rasterio.windows import Window

from landslip.io.files import InputError
from landslip.io.vectors import layer_names, read_vectors
from landslip.scene.cells import Cells
from landslip.scene.item import NAME, verify_map
from landslip.scene.rasters import Grid, gdal_env, grid_of, open_raster, readable
from landslip.scene.tiles import NODATA, STEPS
from landslip.scene.zones import cell_areas, unit_of_cells

logger = logging.getLogger(__name__)

# Rows of pixels in memory at once, about.
_ROWS = 1024


@dataclass(frozen=True, kw_only=True)
class FinishedMap:
    """A map as its folder holds it."""

    grid: Grid
    cells: Cells
    scene: str
    bundle: str
    """Digest."""
    probability: NDArray[np.float64]
    """(row, column) of cells; NaN where there is none."""
    zone: NDArray[np.bool_]
    """Cells that lie in a search zone: those above the threshold in force."""
    seen: NDArray[np.bool_]
    """Cells of which the map says something."""
    area: NDArray[np.float64]
    """Square kilometres; cells at the edge are cut."""
    unit: NDArray[np.int64]
    """Place in `units` plus 1; 0 where in none."""
    units: list[str]
    """Names of administrative units; empty where the map has none."""


def read_map(folder: Path) -> FinishedMap:
    """Read probability.tif and zones.gpkg of a map's folder.

    Raises
    ------
    InputError
        One is missing, damaged, not a map's, or has changed since the map was made.
    """
    image, vectors = folder / "probability.tif", folder / "zones.gpkg"
    for path in (image, vectors):
        if not path.is_file():
            raise InputError(
                f"{path} is not there; name the folder of a finished map (map=results/scene/map)"
            )
    if (folder / NAME).is_file():
        verify_map(folder)
    else:
        logger.warning("%s has no %s, so nobody knows whether the map has changed", folder, NAME)
    with gdal_env(), open_raster(str(image)) as raster:
        grid, tags = grid_of(raster), raster.tags()
        cells = _cells(grid, tags, image)
        probability = _cell_probability(raster, cells, image)
    zone = unit_of_cells(read_layer(vectors, "zones")[0], grid, cells) > 0
    blind = unit_of_cells(read_layer(vectors, "blind_spots")[0], grid, cells) > 0
    unit, units = _units(vectors, grid, cells)
    return FinishedMap(
        grid=grid,
        cells=cells,
        scene=tags.get("SCENE", "a map"),
        bundle=tags.get("BUNDLE", ""),
        probability=probability,
        zone=zone,
        seen=zone | ~blind,
        area=cell_areas(grid, cells),
        unit=unit,
        units=units,
    )


def _units(vectors: Path, grid: Grid, cells: Cells) -> tuple[NDArray[np.int64], list[str]]:
    """Unit of each cell, and names of units; several polygons of one name are one unit."""
    if "units" not in layer_names(vectors):
        return np.zeros((cells.rows, cells.columns), np.int64), []
    polygons, columns = read_layer(vectors, "units")
    if "name" not in columns:
        raise InputError(f"{vectors}: units lack the column name; map the scene again")
    names = [str(name) for name in columns["name"]]
    units = list(dict.fromkeys(names))
    numbers = np.array([0, *(units.index(name) + 1 for name in names)])
    return numbers[unit_of_cells(polygons, grid, cells)], units


def _cells(grid: Grid, tags: Mapping[str, str], image: Path) -> Cells:
    sizes = {name: tags.get(name, "") for name in ("PATCH", "STRIDE")}
    missing = [name for name, text in sizes.items() if not text.isdecimal() or not int(text)]
    if missing:
        raise InputError(
            f"{image} does not say how large its cells are (tags {' and '.join(missing)}); it is "
            "no map of this program, or of an older version: map the scene again"
        )
    return Cells(
        height=grid.height, width=grid.width, patch=int(sizes["PATCH"]), stride=int(sizes["STRIDE"])
    )


def _cell_probability(raster: Any, cells: Cells, image: Path) -> NDArray[np.float64]:
    """Probability of each cell, which all of its pixels with data have."""
    steps = np.empty((cells.rows, cells.columns), np.int16)
    across = np.arange(0, cells.width, cells.stride)
    many = max(_ROWS // cells.stride, 1)
    for first in range(0, cells.rows, many):
        top = first * cells.stride
        height = min(many * cells.stride, cells.height - top)
        with readable(str(image)):
            strip = raster.read(1, window=Window(0, top, cells.width, height)).astype(np.int16)
        strip[strip == NODATA] = -1
        down = np.arange(0, height, cells.stride)
        rows = np.maximum.reduceat(np.maximum.reduceat(strip, down, 0), across, 1)
        steps[first : first + len(down)] = rows
    return np.where(steps < 0, np.nan, steps / STEPS)


def read_layer(path: Path, name: str) -> tuple[list[Any], dict[str, NDArray[Any]]]:
    """Geometries and columns of a layer.

    Raises
    ------
    InputError
        The layer is missing, or the file cannot be read.
    """
    known = layer_names(path)
    if name not in known:
        raise InputError(f"{path} has no layer {name}; it has {', '.join(known) or 'none'}")
    found = read_vectors(path, name)
    return found.geometry, found.columns


def window_of(finished: FinishedMap, row: int, column: int) -> Any:
    """Outline of the patch that gave a cell its score."""
    cells = finished.cells
    top = int(cells.first_rows(np.array([row]))[0])
    left = int(cells.first_columns(np.array([column]))[0])
    return shapely.box(*finished.grid.part(top, left, cells.patch, cells.patch).bounds)
