"""What is to be mapped, decided once and read by every job of a map."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from landslip.io.files import InputError, write_json
from landslip.io.records import read_object
from landslip.scene.cells import Cells, Rule, Tile, cut_tiles
from landslip.scene.interpreter import ChannelConventions, interpret_scene, read_polygons
from landslip.scene.rasters import file_of
from landslip.scene.reader import Reading
from landslip.scene.verdicts import Verdict, refuse
from landslip.scene.virtual import with_sources


@dataclass(frozen=True, kw_only=True)
class MapPlan:
    """A scene that was interpreted, cut into cells and tiles."""

    name: str
    event: str
    """ISO 8601 day."""
    reading: Reading
    cells: Cells
    rule: Rule
    tile_pixels: int
    units: str | None
    """File of administrative units."""
    placebo: bool
    """The scene names one."""
    per_100km2: float | None
    """False alarms that the threshold is to stay below."""

    @property
    def tiles(self) -> list[Tile]:
        """Rectangles of cells, a job each."""
        return cut_tiles(self.cells, self.tile_pixels)

    @property
    def files(self) -> list[str]:
        """Files of the user that jobs read by this plan, each once."""
        outermost = [file_of(file) for file in self.reading.layers.files]
        images = [str(file) for path in outermost for file in with_sources(Path(path))]
        return list(dict.fromkeys([*images, *([self.units] if self.units else [])]))


@dataclass(frozen=True, kw_only=True)
class MapSettings:
    """What the config says of a map."""

    stride: int | None
    """Pixels of a cell, or None for half a patch."""
    rule: Rule
    tile: int
    """Pixels of a tile's side, about."""


def plan_map(
    scene: Path,
    conventions: ChannelConventions,
    settings: MapSettings,
    *,
    patch: int,
    placebo: bool,
    plan: Path,
    checks: Path,
) -> None:
    """Interpret a scene and write what is to be mapped, and the verdicts.

    Parameters
    ----------
    scene
        The scene file.
    patch
        Rows and columns of the bundle's patches.
    placebo
        Plan the map of the scene's placebo.

    Raises
    ------
    InputError
        A file cannot be read, or a check refuses: nothing is written then.
    """
    found = interpret_scene(scene, conventions, placebo=placebo)
    refuse(found.verdicts, str(scene))
    grid = found.reading.grid
    stride = settings.stride or max(patch // 2, 1)
    if stride > patch:
        raise InputError(
            f"scene.stride is {stride} and a patch has {patch} pixels; cells between patches "
            f"would have no score: give {patch} or less"
        )
    units = found.scene.units
    if units is not None:
        units = str(found.folder / units)
        read_polygons(Path(units), grid.crs)
    of_placebo = found.scene.placebo
    made = MapPlan(
        name=found.scene.name,
        event=found.reading.layers.event,
        reading=found.reading,
        cells=Cells(height=grid.height, width=grid.width, patch=patch, stride=stride),
        rule=settings.rule,
        tile_pixels=settings.tile,
        units=units,
        placebo=of_placebo is not None,
        per_100km2=None if of_placebo is None else of_placebo.per_100km2,
    )
    write_json(checks, verdicts_as_json(found.verdicts))
    # Of the tiles the workflow needs to know how many.
    write_json(plan, {**asdict(made), "tile_count": len(made.tiles)})


def verdicts_as_json(verdicts: Sequence[Verdict]) -> list[dict[str, Any]]:
    """Verdicts as they stand in checks.json."""
    return [{**asdict(each), "line": each.line} for each in verdicts]


def read_plan(path: Path) -> MapPlan:
    """Read what `plan_map` wrote.

    Raises
    ------
    InputError
        The file is damaged.
    """
    return read_object(path, MapPlan)
