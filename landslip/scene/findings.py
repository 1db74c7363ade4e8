"""From the cells of all tiles to what a map says: zones, blind spots, units, false alarms."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import shapely

from landslip.io.files import InputError, read_parquet, write_json
from landslip.scene.false_alarms import FalseAlarms, measure_false_alarms
from landslip.scene.geopackage import write_geopackage
from landslip.scene.interpreter import read_polygons
from landslip.scene.layers import SENSORS
from landslip.scene.pictures import shrink, thumbnails
from landslip.scene.plan import MapPlan
from landslip.scene.rasters import Grid
from landslip.scene.reader import open_scene
from landslip.scene.styles import vector_styles
from landslip.scene.tiles import Predict
from landslip.scene.zones import (
    find_blind_spots,
    find_zones,
    seen_areas,
    summarise_units,
)

logger = logging.getLogger(__name__)

# Zones with pictures on the page, and patches asked about at once.
_SHOWN = 60
_BATCH = 256


def read_cells(plan: MapPlan, tables: Sequence[Path]) -> pd.DataFrame:
    """Cells of all tiles, each once.

    Raises
    ------
    InputError
        A cell is missing or there twice.
    """
    table = pd.concat([read_parquet(path) for path in tables], ignore_index=True)
    counts = np.zeros((plan.cells.rows, plan.cells.columns), np.int64)
    np.add.at(counts, (table["row"].to_numpy(), table["column"].to_numpy()), 1)
    if (counts != 1).any():
        row, column = np.argwhere(counts != 1)[0]
        raise InputError(
            f"the cell in row {row}, column {column} stands {counts[row, column]} times in the "
            f"tables of tiles in {tables[0].parent}, expected once; delete that folder and run "
            "again"
        )
    return table


def write_findings(
    plan: MapPlan,
    tables: Sequence[Path],
    placebo: MapPlan | None,
    placebo_tables: Sequence[Path],
    predict: Predict,
    *,
    threshold: float | None = None,
    target: Path,
    facts: Path,
) -> None:
    """Write zones.gpkg, and what the page shows of it.

    Parameters
    ----------
    plan, tables
        The map and its tiles' tables of cells.
    placebo, placebo_tables
        The same of the placebo, if the scene names one.
    predict
        Asks the bundle, for what each sensor brought to a zone.
    threshold
        In place of the bundle's. Where the placebo asks for a higher one, that is in force.
    target
        GeoPackage with the layers zones, blind_spots and, if units are given, units.
    facts
        JSON for the page.
    """
    grid, cells = plan.reading.grid, plan.cells
    table = _decided(read_cells(plan, tables), threshold)
    alarms: FalseAlarms | None = None
    if placebo is not None:
        quiet = _decided(read_cells(placebo, placebo_tables), threshold)
        alarms = measure_false_alarms(quiet, placebo.reading.grid, placebo.cells, plan.per_100km2)
        asked = [each for each in (alarms.threshold, threshold) if each is not None]
        threshold = max(asked, default=None)
    zones = find_zones(table, grid, cells, threshold)
    zones = zones.assign(scene=plan.name, event=plan.event)
    zones, pictures = ask_about_zones(zones, plan, predict)
    blind = find_blind_spots(table, grid, cells)
    layers = {"zones": zones.drop(columns=["peak_row", "peak_column"]), "blind_spots": blind}
    if plan.units is not None:
        polygons, columns = read_polygons(Path(plan.units), grid.crs)
        names = columns.get("name", range(1, len(polygons) + 1))
        layers["units"] = summarise_units(list(names), polygons, table, zones, grid, cells)
    styles = {name: qml for name, qml in vector_styles().items() if name in layers}
    write_geopackage(layers, styles, grid.crs, target)
    areas = seen_areas(table, grid, cells)
    logger.info("%d zones; %.1f of %.1f km2 were seen", len(zones), areas["seen"], areas["scene"])
    limits = table["threshold"].dropna()
    write_json(
        facts,
        {
            "zones": [
                {**_plain(row), "outline": outline(row["geometry"], grid), **shown}
                for row, shown in zip(
                    zones.to_dict("records"),
                    [*pictures, *({} for _ in range(len(zones) - len(pictures)))],
                    strict=True,
                )
            ],
            "blind": [
                {**_plain(row), "outline": outline(row["geometry"], grid)}
                for row in blind.to_dict("records")
            ],
            "units": [_plain(row) for row in layers["units"].to_dict("records")]
            if "units" in layers
            else [],
            "areas": areas,
            "sensors": sensor_areas(table, grid.pixel_area() / 1e6, plan),
            "placebo": None if alarms is None else _plain(asdict(alarms)),
            "thresholds": sorted({round(float(value), 6) for value in limits}),
            "threshold": threshold,
        },
    )


def _decided(table: pd.DataFrame, threshold: float | None) -> pd.DataFrame:
    """Cells with a threshold in place of the bundle's, if one is named."""
    return table if threshold is None else table.assign(threshold=threshold)


def sensor_areas(table: pd.DataFrame, pixel_km2: float, plan: MapPlan) -> list[dict[str, Any]]:
    """Square kilometres scored by each set of sensors, largest first."""
    size = plan.cells.stride**2 * pixel_km2
    there = table[table["sensors"] != ""]
    counts = there["sensors"].value_counts()
    return [
        {"sensors": str(name).replace("+", ", "), "km2": float(count * size)}
        for name, count in counts.items()
    ]


def ask_about_zones(
    zones: pd.DataFrame, plan: MapPlan, predict: Predict
) -> tuple[pd.DataFrame, list[dict[str, Any]]]:
    """What each sensor brought to the most probable patch of each zone, and pictures of it.

    Returns
    -------
    zones
        With a column `gain_<sensor>` for each: probability with all sensors less that without this
        one; empty where it was missing or nothing can be said without it.
    pictures
        Of the first zones, in order.
    """
    zones = zones.assign(**{f"gain_{sensor}": np.nan for sensor in SENSORS})
    if not len(zones):
        return zones, []
    cells, pictures = plan.cells, []
    tops = cells.first_rows(zones["peak_row"].to_numpy())
    lefts = cells.first_columns(zones["peak_column"].to_numpy())
    with open_scene(plan.reading) as reader:
        names = reader.channels
        for start in range(0, len(zones), _BATCH):
            rows = range(start, min(start + _BATCH, len(zones)))
            patches = np.stack(
                [
                    reader.read(int(tops[at]), int(lefts[at]), cells.patch, cells.patch).channels
                    for at in rows
                ]
            )
            pictures += [
                {"pictures": thumbnails(patches[at - start], names)} for at in rows if at < _SHOWN
            ]
            whole = np.asarray(predict(patches, names).probability)
            for sensor, channels in SENSORS.items():
                own = [at for at, name in enumerate(names) if name in channels]
                if not own:
                    continue
                without = patches.copy()
                without[:, own] = np.nan
                there = np.isfinite(patches[:, own]).any(axis=(1, 2, 3))
                rest = np.isfinite(without).any(axis=(1, 2, 3))
                gain = np.full(len(whole), np.nan)
                asked = there & rest
                if asked.any():
                    gain[asked] = whole[asked] - predict(without[asked], names).probability
                zones.loc[list(rows), f"gain_{sensor}"] = gain
    return zones, pictures


def outline(geometry: Any, grid: Grid) -> list[list[list[float]]]:
    """Rings of a geometry in pixels of the page's picture of the scene."""
    step = shrink(grid.height, grid.width)
    return [
        [
            [
                round((x - grid.left) / grid.across / step, 1),
                round((grid.top - y) / grid.down / step, 1),
            ]
            for x, y in ring.coords
        ]
        for part in shapely.get_parts(geometry)
        if part.geom_type == "Polygon"
        for ring in (part.exterior, *part.interiors)
    ]


def _plain(row: Mapping[Any, Any]) -> dict[str, Any]:
    """A row without its geometry, as JSON has it: no NaN."""
    return {str(name): _number(value) for name, value in row.items() if name != "geometry"}


def _number(value: Any) -> Any:
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not np.isfinite(value) else value
