"""Draws a stratified random sample of a map's cells, for a person to interpret."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from typing_extensions import TypedDict

from landslip.assess.population import FinishedMap, read_map, window_of
from landslip.io.files import InputError, write_json, write_parquet
from landslip.io.records import Amount, Count, Probability, read_record
from landslip.scene.geopackage import write_geopackage
from landslip.scene.zones import cell_centre

logger = logging.getLogger(__name__)

LAYER = "sample"
STRATA = ("zone", "near", "far")
"""In a search zone; below the threshold, but among the most probable; the rest."""
SHOWN = ("stratum", "inclusion_probability", "row", "column", "unit", "longitude", "latitude")
"""What a person is told of a cell; not its probability, which is not to guide the eye."""


@dataclass(frozen=True, kw_only=True)
class SampleSettings:
    """What the config says of a sample."""

    cells: Mapping[str, int]
    """Stratum -> cells drawn from it."""
    near: float
    """Share of the cells below the threshold, the most probable ones, that are a stratum."""
    by_unit: bool
    """Draw so many in every administrative unit."""
    confidence: float
    seed: int


class Stratum(TypedDict):
    """One stratum of a sample."""

    name: str
    zone: bool
    cells: Count
    drawn: Count
    km2: Amount


class Unit(TypedDict):
    """One administrative unit of a map, as far as the map says something of it."""

    name: str
    km2: Amount
    zone_km2: Amount


class SampleDesign(TypedDict):
    """The content of design.json: how a sample was drawn."""

    scene: str
    bundle: str
    seed: Count
    confidence: Probability
    strata: list[Stratum]
    units: list[Unit]
    km2: Amount
    zone_km2: Amount
    unseen_km2: Amount
    stride: Count
    patch: Count


def draw_sample(
    folder: Path, settings: SampleSettings, *, sample: Path, drawn: Path, design: Path
) -> None:
    """Draw cells of a finished map.

    Parameters
    ----------
    folder
        Of the map.
    settings
        How many cells of which strata.
    sample
        GeoPackage to fill: a window for each drawn cell, in random order, with an empty `label`.
    drawn
        Parquet: what was drawn, to compare the filled file with.
    design
        JSON: strata and their sizes; see `SampleDesign`.

    Raises
    ------
    InputError
        The folder holds no map, or units are asked for and the map has none.
    """
    finished = read_map(folder)
    if settings.by_unit and not finished.units:
        raise InputError(
            f"assess.by_unit: {folder} has no administrative units (no layer units in zones.gpkg); "
            "name `units` in the scene file and map again, or take by_unit out"
        )
    strata = stratify(finished, settings.near, settings.by_unit)
    table = draw_cells(finished, strata, settings)
    if table.empty:
        raise InputError(f"{folder}: the map says nothing of any cell, so none can be drawn")
    write_parquet(drawn, table)
    write_json(design, describe_design(finished, strata, table, settings))
    write_geopackage({LAYER: fillable(finished, table)}, {}, finished.grid.crs, sample)
    for name, count in table["stratum"].value_counts(sort=False).items():
        logger.info("%s: %d of %d cells drawn", name, count, (strata == name).sum())


def stratify(finished: FinishedMap, near: float, by_unit: bool) -> NDArray[np.object_]:
    """Stratum of each cell (row, column); empty where the map says nothing.

    Parameters
    ----------
    finished
        The map.
    near
        Share of the cells below the threshold that are the stratum `near`. What has the same
        probability as the last of them is in it too, unless that is the least of all.
    by_unit
        A stratum for each administrative unit: `UNIT: zone`, `UNIT: near`, `UNIT: far`.
    """
    strata = np.full(finished.zone.shape, "", object)
    below = finished.seen & ~finished.zone
    probability = np.nan_to_num(finished.probability, nan=0.0)
    strata[below] = "far"
    if below.any():
        limit = np.quantile(probability[below], 1 - near, method="lower")
        least = probability[below].min()
        strata[below & (probability >= limit) & (probability > least)] = "near"
    strata[finished.zone] = "zone"
    if by_unit:
        names = np.array(["no unit", *finished.units], object)[finished.unit]
        strata = np.where(strata == "", "", names + ": " + strata).astype(object)
    return strata


def draw_cells(
    finished: FinishedMap, strata: NDArray[np.object_], settings: SampleSettings
) -> pd.DataFrame:
    """Draw at random and without replacement in each stratum; all of a small one.

    Returns
    -------
    One row a cell, in random order: id, row, column, stratum, zone, inclusion_probability, km2,
    unit (its name or empty), longitude and latitude.
    """
    rng = np.random.default_rng(settings.seed)
    rows = []
    for name in sorted(set(strata[strata != ""])):
        places = np.argwhere(strata == name)
        count = min(settings.cells[name.rsplit(": ")[-1]], len(places))
        for row, column in places[rng.choice(len(places), count, replace=False)]:
            longitude, latitude = cell_centre(finished.grid, finished.cells, row, column)
            unit = finished.unit[row, column]
            rows.append(
                {
                    "id": f"r{row}c{column}",
                    "row": int(row),
                    "column": int(column),
                    "stratum": name,
                    "zone": bool(finished.zone[row, column]),
                    "inclusion_probability": count / len(places),
                    "km2": float(finished.area[row, column]),
                    "unit": finished.units[unit - 1] if unit else "",
                    "longitude": longitude,
                    "latitude": latitude,
                }
            )
    # In the order of strata a person would know what the map said.
    return pd.DataFrame(rows).iloc[rng.permutation(len(rows))].reset_index(drop=True)


def describe_design(
    finished: FinishedMap,
    strata: NDArray[np.object_],
    table: pd.DataFrame,
    settings: SampleSettings,
) -> SampleDesign:
    """How the sample was drawn, and what the map says of the whole."""
    area, zone = finished.area, finished.zone
    return {
        "scene": finished.scene,
        "bundle": finished.bundle,
        "seed": settings.seed,
        "confidence": settings.confidence,
        "strata": [
            {
                "name": name,
                "zone": name.rsplit(": ")[-1] == "zone",
                "cells": int((strata == name).sum()),
                "drawn": int((table["stratum"] == name).sum()),
                "km2": float(area[strata == name].sum()),
            }
            for name in _in_order(strata)
        ],
        "units": [
            {
                "name": name,
                "km2": float(area[finished.seen & (finished.unit == number)].sum()),
                "zone_km2": float(area[zone & (finished.unit == number)].sum()),
            }
            for number, name in enumerate(finished.units, start=1)
        ],
        "km2": float(area[finished.seen].sum()),
        "zone_km2": float(area[zone].sum()),
        "unseen_km2": float(area[~finished.seen].sum()),
        "stride": finished.cells.stride,
        "patch": finished.cells.patch,
    }


def _in_order(strata: NDArray[np.object_]) -> list[str]:
    """Names of strata: by unit, and the most probable first."""

    def key(name: str) -> tuple[str, int]:
        *unit, level = name.rsplit(": ", 1)
        return "".join(unit), STRATA.index(level)

    return sorted(set(strata[strata != ""]), key=key)


def read_design(path: Path) -> SampleDesign:
    """Read what `draw_sample` wrote as `design`."""
    design: SampleDesign = read_record(path, SampleDesign)
    return design


def fillable(finished: FinishedMap, table: pd.DataFrame) -> pd.DataFrame:
    """The drawn cells as they are handed to a person."""
    empty = np.full(len(table), "", object)
    places = zip(table["row"], table["column"], strict=True)
    return pd.DataFrame(
        {
            "id": table["id"],
            "label": empty,
            "note": empty,
            **{name: table[name] for name in SHOWN},
            "geometry": [window_of(finished, row, column) for row, column in places],
        }
    )
