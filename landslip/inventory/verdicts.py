"""A reviewer's verdicts on the zones of a map, as labels of windows of its scene."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import shapely
from numpy.typing import ArrayLike, NDArray
from pyproj import Transformer

from landslip.assess.verdicts import Verdicts, read_verdicts
from landslip.inventory.blocks import polygons_of, share_ground
from landslip.inventory.labels import AMBIGUOUS
from landslip.inventory.windows import SceneRecord
from landslip.io.files import InputError
from landslip.scene.reader import open_scene

STRATUM = "verdict"
"""Stratum of the windows that a reviewer judged; all are taken."""
NONE = -1
"""In place of a verdict: nobody judged the window."""


def verdict_windows(
    zones: Path, scenes: Mapping[str, SceneRecord]
) -> tuple[pd.DataFrame, list[str]]:
    """One window for each judged zone: the patch around its most probable cell.

    That is the patch whose score the zone has and whose pictures the map's page shows. A zone that
    holds a landslide may be larger, and hold it elsewhere; that the page's patch shows it is the
    best guess.

    Parameters
    ----------
    zones
        zones.gpkg with the column `verdict` filled.
    scenes
        Those that the zones may be of, by their names.

    Returns
    -------
    windows : DataFrame
        scene, row, column (of the first pixel), verdict (1 or 0), zone (its rank).
    notes : list of str
        What was counted.

    Raises
    ------
    InputError
        See `read_verdicts`; or the zones are of none of the scenes, or could be of several.
    """
    reviewed = read_verdicts(zones)
    missing = [name for name in ("longitude", "latitude") if name not in reviewed.columns]
    if missing:
        raise InputError(f"{zones}: the layer zones lacks the columns {', '.join(missing)}")
    scene = _scene_of(zones, reviewed, scenes)
    record = scenes[scene]
    grid = record.reading.grid
    down, across = _pixels(reviewed, record)
    half, size = record.size // 2, record.size
    table = pd.DataFrame(
        {
            "scene": scene,
            "row": np.clip(np.round(down).astype(int) - half, 0, grid.height - size),
            "column": np.clip(np.round(across).astype(int) - half, 0, grid.width - size),
            "verdict": reviewed.yes.astype(np.int8),
            "zone": reviewed.columns["rank"],
        }
    )[reviewed.judged]
    notes = [
        f"{zones}: {int(reviewed.yes.sum()):,} zones judged to hold a landslide, "
        f"{int(reviewed.no.sum()):,} to hold none, {int(reviewed.unsure.sum()):,} unsure and "
        f"{int((~reviewed.judged & ~reviewed.unsure).sum()):,} without a verdict left out"
    ]
    return table.reset_index(drop=True), notes


def one_verdict_each(windows: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Each window once, without those of which verdicts contradict one another.

    Zones at a scene's edge may have one window, and several people may judge one map.
    """
    place = ["scene", "row", "column"]
    both = windows.groupby(place)["verdict"].transform("nunique") > 1
    notes = [f"{int(both.sum()):,} verdicts contradict another on the same window and are left out"]
    return windows[~both].drop_duplicates(place), notes if both.any() else []


def seen_windows(
    windows: pd.DataFrame, record: SceneRecord, channels: Sequence[str], least_data: float
) -> NDArray[np.bool_]:
    """Windows (n,) of a scene that have so much data in every channel."""
    seen = np.zeros(len(windows), np.bool_)
    with open_scene(record.reading) as reader:
        places = [reader.channels.index(name) for name in channels]
        for at, (row, column) in enumerate(zip(windows["row"], windows["column"], strict=True)):
            pixels = reader.read(int(row), int(column), record.size, record.size).channels[places]
            seen[at] = np.isfinite(pixels).mean(axis=(1, 2)).min() >= least_data
    return seen


def apply_verdicts(
    label: NDArray[np.int8], verdict: NDArray[np.int8], windows: ArrayLike
) -> tuple[NDArray[np.int8], list[str]]:
    """Labels after a reviewer's verdicts.

    Parameters
    ----------
    label, verdict : (n,)
        Of windows by the inventory; of the reviewer, -1 where nobody judged.
    windows : (n, 4) or (n,)
        Left, bottom, right, top; or polygons.

    Returns
    -------
    label : (n,)
        -1: to be left out. A judged window has its verdict, and stands in place of the windows
        whose middle lies in it. Where the inventory has a landslide and the reviewer saw none,
        or as little of one as is ambiguous, the judged window is left out. Windows without a
        landslide that overlap one judged to show one are left out: it may reach into them.
    notes : list of str
        How many, each a sentence.
    """
    judged = verdict != NONE
    found = np.where(judged, verdict, label).astype(np.int8)
    denied = judged & (verdict == 0) & (label == 1)
    found[judged & (verdict == 0) & (label != 0)] = AMBIGUOUS
    kept = np.flatnonzero(judged & (found != AMBIGUOUS))
    others = np.flatnonzero(~judged & (label != AMBIGUOUS))
    shapes = polygons_of(windows)
    tree = shapely.STRtree(shapes[kept])
    extent = shapely.bounds(shapes[others])
    middles = shapely.points((extent[:, :2] + extent[:, 2:]) / 2)
    replaced = np.unique(others[tree.query(middles, predicate="intersects")[0]])
    at, on = tree.query(shapes[others])
    shared = share_ground(shapes[others[at]], shapes[kept[on]])
    touched = others[at[shared & (verdict[kept[on]] == 1)]]
    beside = np.setdiff1d(touched[label[touched] == 0], replaced)
    found[replaced] = AMBIGUOUS
    found[beside] = AMBIGUOUS
    notes = [
        f"{int((found[judged] == 1).sum()):,} windows are landslides and "
        f"{int((found[judged] == 0).sum()):,} are not by a reviewer's verdict, in place of "
        f"{len(replaced):,} others; {len(beside):,} beside landslides so found are left out"
    ]
    if denied.any():
        notes.append(
            f"{int(denied.sum()):,} zones were judged to hold no landslide where the inventory has "
            "one; look at both: the verdicts are left out"
        )
    return found, notes


def _scene_of(zones: Path, reviewed: Verdicts, scenes: Mapping[str, SceneRecord]) -> str:
    """Name of the scene whose map the zones are of: by what they say of it, and by place."""
    stated = {
        name: sorted({str(value) for value in reviewed.columns[name]})
        for name in ("scene", "event")
        if name in reviewed.columns
    }
    fitting = []
    for name, record in scenes.items():
        own = {"scene": record.name, "event": record.reading.layers.event}
        grid = record.reading.grid
        down, across = _pixels(reviewed, record)
        inside = (down >= 0) & (down <= grid.height) & (across >= 0) & (across <= grid.width)
        if all(stated[key] == [own[key]] for key in stated) and inside.all():
            fitting.append(name)
    if len(fitting) == 1:
        return fitting[0]
    words = ", ".join(f"{key} {' and '.join(values)}" for key, values in stated.items())
    says = f" ({words})" if words else ""
    if fitting:
        raise InputError(
            f"data.verdicts: the zones of {zones}{says} may be of the scenes {', '.join(fitting)}; "
            "give scenes that cover one ground names of their own, and map them anew"
        )
    raise InputError(
        f"data.verdicts: the zones of {zones}{says} are of none of the scenes "
        f"{', '.join(scenes)}; name the zones.gpkg of a map of one of data.scenes, all of one map"
    )


def _pixels(
    reviewed: Verdicts, record: SceneRecord
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Rows and columns, with fractions, of the middles of the most probable cells in a scene."""
    grid = record.reading.grid
    turn = Transformer.from_crs("EPSG:4326", grid.crs, always_xy=True)
    x, y = turn.transform(reviewed.columns["longitude"], reviewed.columns["latitude"])
    return (grid.top - np.asarray(y)) / grid.down, (np.asarray(x) - grid.left) / grid.across
