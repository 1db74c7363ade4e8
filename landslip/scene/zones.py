"""Search zones, blind spots and administrative units, from the cells of a map."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import scipy.ndimage
import shapely
from numpy.typing import NDArray
from pyproj import Geod, Transformer
from rasterio.features import shapes

from landslip.scene.cells import Cells
from landslip.scene.rasters import Grid

_GEOD = Geod(ellps="WGS84")
# Cells that touch at a corner are one zone: tracks run at a slant.
_TOUCHING = np.ones((3, 3), np.int64)
# A cell counts as seen where at least this share of its pixels has data.
SEEN = 0.5
CAUSES = ("no data", "cloud", "layover", "no member")


def cell_grid(grid: Grid, cells: Cells) -> Grid:
    """The grid of the cells themselves; it may reach over the scene's edge."""
    return Grid(
        crs=grid.crs,
        left=grid.left,
        top=grid.top,
        across=grid.across * cells.stride,
        down=grid.down * cells.stride,
        width=cells.columns,
        height=cells.rows,
    )


def cell_image(table: pd.DataFrame, name: str, cells: Cells) -> NDArray[Any]:
    """A column of the table of cells as an image (row, column)."""
    values = table[name].to_numpy()
    kind = values.dtype if values.dtype != object else object
    image = np.empty((cells.rows, cells.columns), kind)
    image[table["row"].to_numpy(), table["column"].to_numpy()] = values
    return image


def cell_areas(grid: Grid, cells: Cells) -> NDArray[np.float64]:
    """Area of each cell in square kilometres; those at the edge are cut."""
    down = np.minimum(np.arange(1, cells.rows + 1) * cells.stride, cells.height)
    across = np.minimum(np.arange(1, cells.columns + 1) * cells.stride, cells.width)
    heights = np.diff(down, prepend=0)
    widths = np.diff(across, prepend=0)
    areas: NDArray[np.float64] = np.outer(heights, widths) * grid.pixel_area() / 1e6
    return areas


def find_zones(
    table: pd.DataFrame, grid: Grid, cells: Cells, threshold: float | None = None
) -> pd.DataFrame:
    """Connected cells above the threshold.

    Parameters
    ----------
    table
        Cells of the whole map, as `landslip.scene.tiles` writes them.
    threshold
        In place of the bundle's, which differs with the sensors that a cell has.

    Returns
    -------
    One row a zone, the most probable first: rank, probability (largest), threshold (in force where
    it is largest), mean_probability, zone_km2, cells, observed (share), sensors, longitude,
    latitude, peak_row, peak_column (of its most probable cell), verdict (empty, for the reviewer)
    and geometry, in the grid's coordinates.

    Notes
    -----
    A zone is where to search, not a landslide's outline: with a perfect classifier of patches it
    is 6 to 240 times as large, so its area is never to be added up as landslide area.
    """
    probability = cell_image(table, "probability", cells)
    own = cell_image(table, "threshold", cells)
    limits = own if threshold is None else np.full_like(own, threshold)
    above = np.where(np.isnan(probability), False, probability > limits)
    labels, _ = scipy.ndimage.label(above, _TOUCHING)
    areas = cell_areas(grid, cells)
    observed = cell_image(table, "observed", cells)
    sensors = cell_image(table, "sensors", cells)
    outlines = polygons_of(labels, grid, cells)
    geod = geodesic_turner(grid)
    rows = []
    # Of each zone its own rectangle is looked at: of all cells, a map of many takes hours.
    for number, around in enumerate(scipy.ndimage.find_objects(labels), start=1):
        there = labels[around] == number
        own_scores = probability[around][there]
        peak = np.unravel_index(np.argmax(np.where(there, probability[around], -1)), there.shape)
        row, column = (int(at) + part.start for at, part in zip(peak, around, strict=True))
        longitude, latitude = cell_centre(grid, cells, row, column)
        spoke = {each for cell in sensors[around][there] for each in str(cell).split("+") if each}
        rows.append(
            {
                "probability": float(own_scores.max()),
                "threshold": float(limits[row, column]),
                "mean_probability": float(own_scores.mean()),
                "zone_km2": geod(outlines[number]),
                "cells": int(there.sum()),
                "observed": float(
                    np.average(observed[around][there], weights=areas[around][there])
                ),
                "sensors": ", ".join(sorted(spoke)),
                "longitude": longitude,
                "latitude": latitude,
                "peak_row": row,
                "peak_column": column,
                "verdict": "",
                "geometry": outlines[number],
            }
        )
    columns = [
        "probability", "threshold", "mean_probability", "zone_km2", "cells", "observed", "sensors",
        "longitude", "latitude", "peak_row", "peak_column", "verdict", "geometry",
    ]  # fmt: skip
    zones = pd.DataFrame(rows, columns=columns)
    zones = zones.sort_values(["probability", "mean_probability"], ascending=False, kind="stable")
    zones.insert(0, "rank", np.arange(1, len(zones) + 1))
    return zones.reset_index(drop=True)


def polygons_of(labels: NDArray[np.integer[Any]], grid: Grid, cells: Cells) -> dict[int, Any]:
    """Label -> its outline, cut at the scene's edge."""
    scene = shapely.box(*grid.bounds)
    parts: dict[int, list[Any]] = {}
    transform = cell_grid(grid, cells).transform
    image = labels.astype(np.int32)
    for outline, value in shapes(image, mask=labels > 0, connectivity=8, transform=transform):
        parts.setdefault(int(value), []).append(shapely.geometry.shape(outline))
    return {
        label: shapely.intersection(shapely.make_valid(shapely.union_all(outlines)), scene)
        for label, outlines in parts.items()
    }


def geodesic_turner(grid: Grid) -> Any:
    """A function that gives a polygon's area on the ellipsoid, square kilometres."""
    turn = Transformer.from_crs(grid.crs, "EPSG:4326", always_xy=True)

    def area(polygon: Any) -> float:
        turned = shapely.transform(
            polygon, lambda xy: np.column_stack(turn.transform(xy[:, 0], xy[:, 1]))
        )
        return abs(float(_GEOD.geometry_area_perimeter(turned)[0])) / 1e6

    return area


def cell_centre(grid: Grid, cells: Cells, row: int, column: int) -> tuple[float, float]:
    """Longitude and latitude of a cell's middle, inside of the scene."""
    down = min((row + 0.5) * cells.stride, cells.height)
    across = min((column + 0.5) * cells.stride, cells.width)
    return grid.lonlat(grid.left + across * grid.across, grid.top - down * grid.down)


def causes(table: pd.DataFrame) -> NDArray[np.int64]:
    """Why nothing could be said of a cell: a place in CAUSES plus 1, 0 where it was seen."""
    seen = table["observed"].to_numpy() >= SEEN
    answered = table["probability"].notna().to_numpy()
    found = np.where(table["cloud"].to_numpy() >= SEEN, 2, 1)
    found = np.where((found == 1) & (table["layover"].to_numpy() >= SEEN), 3, found)
    blind: NDArray[np.int64] = np.where(seen, np.where(answered, 0, 4), found)
    return blind


def find_blind_spots(table: pd.DataFrame, grid: Grid, cells: Cells) -> pd.DataFrame:
    """Where nothing could be seen, and why.

    Returns
    -------
    One row an area: cause, km2, share (of the scene), geometry.
    """
    image = cell_image(table.assign(cause=causes(table)), "cause", cells)
    total = cell_areas(grid, cells).sum()
    area = geodesic_turner(grid)
    rows = []
    for number, cause in enumerate(CAUSES, start=1):
        labels, count = scipy.ndimage.label(image == number, _TOUCHING)
        outlines = polygons_of(labels, grid, cells)
        for label in range(1, count + 1):
            km2 = area(outlines[label])
            rows.append(
                {"cause": cause, "km2": km2, "share": km2 / total, "geometry": outlines[label]}
            )
    return pd.DataFrame(rows, columns=["cause", "km2", "share", "geometry"])


def summarise_units(
    names: Sequence[str],
    polygons: Sequence[Any],
    table: pd.DataFrame,
    zones: pd.DataFrame,
    grid: Grid,
    cells: Cells,
) -> pd.DataFrame:
    """What was seen and found in each administrative unit.

    Parameters
    ----------
    names, polygons
        Of the units, in the grid's coordinates.

    Returns
    -------
    One row a unit: name, km2 (inside of the scene), blind_km2, blind_share, a column of km2 for
    each cause, zones, expected (patches with a landslide, the sum of probabilities over the
    ground divided into patches), expected_blind (as many more if blind ground is like the rest)
    and geometry.
    """
    where = unit_of_cells(polygons, grid, cells)
    cause = cell_image(table.assign(cause=causes(table)), "cause", cells)
    probability = cell_image(table, "probability", cells)
    areas = cell_areas(grid, cells)
    patch_km2 = cells.patch**2 * grid.pixel_area() / 1e6
    found = np.zeros((cells.rows, cells.columns), np.int64)
    np.add.at(found, (zones["peak_row"].to_numpy(int), zones["peak_column"].to_numpy(int)), 1)
    rows = []
    for number, (name, polygon) in enumerate(zip(names, polygons, strict=True), start=1):
        inside = where == number
        km2 = float(areas[inside].sum())
        blind = {
            each: float(areas[inside & (cause == at)].sum())
            for at, each in enumerate(CAUSES, start=1)
        }
        blind_km2 = sum(blind.values())
        seen = inside & (cause == 0)
        expected = float(np.nansum(probability[seen] * areas[seen]) / patch_km2)
        seen_km2 = km2 - blind_km2
        rows.append(
            {
                "name": str(name),
                "km2": km2,
                "blind_km2": blind_km2,
                "blind_share": blind_km2 / km2 if km2 else float("nan"),
                **{f"{each.replace(' ', '_')}_km2": value for each, value in blind.items()},
                "zones": int(found[inside].sum()),
                "expected": expected,
                "expected_blind": expected * blind_km2 / seen_km2 if seen_km2 else float("nan"),
                "geometry": polygon,
            }
        )
    return pd.DataFrame(rows)


def unit_of_cells(polygons: Sequence[Any], grid: Grid, cells: Cells) -> NDArray[np.int64]:
    """Number of the unit that a cell's middle lies in, from 1; 0 where in none."""
    down = np.minimum(np.arange(1, cells.rows + 1) * cells.stride, cells.height)
    across = np.minimum(np.arange(1, cells.columns + 1) * cells.stride, cells.width)
    # Those at the edge are cut, and so is their middle.
    rows = (np.arange(cells.rows) * cells.stride + down) / 2
    columns = (np.arange(cells.columns) * cells.stride + across) / 2
    x = np.broadcast_to(grid.left + columns * grid.across, (cells.rows, cells.columns))
    y = np.broadcast_to((grid.top - rows * grid.down)[:, None], x.shape)
    units = np.zeros(x.shape, np.int64)
    for number, polygon in enumerate(polygons, start=1):
        shapely.prepare(polygon)
        units[(units == 0) & shapely.contains_xy(polygon, x, y)] = number
    return units


def seen_areas(table: pd.DataFrame, grid: Grid, cells: Cells) -> Mapping[str, float]:
    """Square kilometres: of the scene, seen, and blind by cause."""
    areas = cell_areas(grid, cells)
    cause = cell_image(table.assign(cause=causes(table)), "cause", cells)
    blind = {each: float(areas[cause == at].sum()) for at, each in enumerate(CAUSES, start=1)}
    return {"scene": float(areas.sum()), "seen": float(areas[cause == 0].sum()), **blind}
