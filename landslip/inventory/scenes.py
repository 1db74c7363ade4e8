"""The scenes of a training that were looked at, with the windows that reviewers judged."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pyproj import CRS, Transformer

from landslip.inventory.blocks import Polygons, outlines
from landslip.inventory.reader import refuse_changed
from landslip.inventory.verdicts import STRATUM, one_verdict_each, seen_windows, verdict_windows
from landslip.inventory.windows import SceneRecord, metric_crs, window_bounds
from landslip.io.files import InputError


@dataclass(frozen=True, kw_only=True)
class TrainingScene:
    """A scene that was looked at."""

    split: str
    """train or test."""
    record: SceneRecord
    windows: pd.DataFrame
    """Those that were seen, see `landslip.inventory.windows.look_at_scene`; in the column `verdict`
    what a reviewer says of it, or NONE."""

    @property
    def grid_crs(self) -> CRS:
        """Of its grid, perhaps of degrees."""
        return CRS.from_user_input(self.record.reading.grid.crs)

    @property
    def crs(self) -> CRS:
        """Of metres."""
        return metric_crs(self.record.reading.grid)

    @property
    def middles(self) -> NDArray[np.float64]:
        """Of the windows (n, 2), in `crs`."""
        left, bottom, right, top = self.bounds(self.windows).T
        turn = Transformer.from_crs(self.grid_crs, self.crs, always_xy=True)
        return np.column_stack(turn.transform((left + right) / 2, (bottom + top) / 2))

    def outlines(self, windows: pd.DataFrame, crs: CRS) -> Polygons:
        """Windows (n,) by row and column, in some system.

        Of a grid of degrees they are quadrangles, which share sides where those of the grid do.
        """
        return outlines(self.bounds(windows), self.grid_crs, crs)

    def whole(self, crs: CRS) -> Polygons:
        """The scene's own outline (1,), in some system."""
        return outlines([self.record.reading.grid.bounds], self.grid_crs, crs)

    def bounds(self, windows: pd.DataFrame) -> NDArray[np.float64]:
        """Left, bottom, right, top (n, 4) by row and column, in the grid's own system."""
        rows, columns = (windows[name].to_numpy(np.int64) for name in ("row", "column"))
        return window_bounds(self.record.reading.grid, rows, columns, self.record.size)


@dataclass(frozen=True, kw_only=True)
class Judged:
    """What reviewers judged, and which of its windows have enough data."""

    zones: Sequence[Path] = ()
    """zones.gpkg of maps of training scenes, with the column `verdict` filled."""
    channels: Sequence[str] = ()
    """Of the patches."""
    least_data: float = 0.0
    """Share of a window's pixels that must hold data in each channel."""


def scene_names(names: Sequence[str]) -> list[str]:
    """Names of scenes as ids may have them, each once: a second one of a name gets a number."""
    plain = [re.sub(r"[^\w-]+", "_", name).strip("_") or "scene" for name in names]
    found: list[str] = []
    for name in plain:
        number = 1
        while (unique := name if number == 1 else f"{name}_{number}") in found:
            number += 1
        found.append(unique)
    return found


def with_judged(
    names: Sequence[str], scenes: Sequence[TrainingScene], judged: Judged
) -> tuple[list[TrainingScene], list[str]]:
    """The scenes with the windows that reviewers judged beside the others.

    Raises
    ------
    InputError
        See `landslip.inventory.verdicts.verdict_windows`; verdicts are on a test scene, or a scene
        has changed since it was looked at.
    """
    by_name = dict(zip(names, scenes, strict=True))
    records = {name: scene.record for name, scene in by_name.items()}
    found = [verdict_windows(path, records) for path in judged.zones]
    windows, notes = one_verdict_each(pd.concat([table for table, _ in found]))
    for name, own in windows.groupby("scene"):
        scene = by_name[str(name)]
        if scene.split != "train":
            raise InputError(
                f"data.verdicts: zones of the test scene {name} were judged; a map chose "
                "them, so labels from them would bias the test: move the scene to data.scenes"
            )
        refuse_changed([scene.record])
        seen = seen_windows(own, scene.record, judged.channels, judged.least_data)
        if not seen.all():
            notes.append(f"scene {name}: {int((~seen).sum()):,} judged zones lack data")
        own = own[seen].assign(stratum=STRATUM)[["row", "column", "stratum", "verdict"]]
        both = pd.concat([scene.windows, own], ignore_index=True)
        by_name[str(name)] = replace(scene, windows=both)
    notes = [note for _, own_notes in found for note in own_notes] + notes
    return [by_name[name] for name in names], notes
