"""False alarms, measured: what a bundle calls a landslide where nothing happened."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import scipy.ndimage

from landslip.scene.cells import Cells
from landslip.scene.rasters import Grid
from landslip.scene.tiles import STEPS
from landslip.scene.zones import cell_image, find_zones, seen_areas

_TOUCHING = np.ones((3, 3), np.int64)


@dataclass(frozen=True, kw_only=True)
class FalseAlarms:
    """What the map of a placebo says."""

    zones: int
    """Above the bundle's threshold."""
    seen_km2: float
    per_100km2: float
    asked_per_100km2: float | None
    """Figure that the threshold is to stay below."""
    threshold: float | None
    """Least threshold in steps of 1 / 250 from which on it does; None where not asked."""


def measure_false_alarms(
    table: pd.DataFrame, grid: Grid, cells: Cells, asked: float | None
) -> FalseAlarms:
    """Count the zones of a map on which no landslide can be.

    Parameters
    ----------
    table
        Cells of the placebo's map.
    asked
        False alarms per 100 square kilometres to stay below.
    """
    seen = seen_areas(table, grid, cells)["seen"]
    zones = len(find_zones(table, grid, cells))

    def rate(count: int) -> float:
        return count / seen * 100 if seen else float("nan")

    threshold = None
    if asked is not None:
        counts = zones_by_threshold(table, cells)
        # The number of zones need not fall with the threshold, for a large one falls apart first.
        good = np.array([rate(int(count)) <= asked for count in counts])
        lasting = np.logical_and.accumulate(good[::-1])[::-1]
        threshold = float(np.argmax(lasting)) / STEPS if lasting.any() else 1.0
    return FalseAlarms(
        zones=zones,
        seen_km2=seen,
        per_100km2=rate(zones),
        asked_per_100km2=asked,
        threshold=threshold,
    )


def zones_by_threshold(table: pd.DataFrame, cells: Cells) -> np.ndarray:
    """(251,) how many zones lie above each threshold k / 250."""
    probability = np.nan_to_num(cell_image(table, "probability", cells), nan=-1.0)
    return np.array(
        [scipy.ndimage.label(probability > step / STEPS, _TOUCHING)[1] for step in range(STEPS + 1)]
    )
