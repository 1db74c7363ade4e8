"""Looks at a scene before any pixel is predicted: what it is, and what is wrong with it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
import shapely
from pyproj import Transformer

from landslip.io.files import InputError
from landslip.io.vectors import read_vectors, readable_vectors
from landslip.scene import checks_optical, checks_radar, checks_scene
from landslip.scene.layers import Layer, Layers
from landslip.scene.products import resolve_optical, resolve_radar, resolve_scene
from landslip.scene.rasters import Grid, gdal_env, read_grid
from landslip.scene.reader import Reading, SceneReader
from landslip.scene.sample import RawFacts, Sample, raw_facts, sample_squares, take_sample
from landslip.scene.settings import Scene, read_scene
from landslip.scene.verdicts import Verdict, apply_trust

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class ChannelConventions:
    """What the channels of a bundle are, as its `bundle.json` has it."""

    channels: Sequence[str]
    reflectance_offset: float = 1000.0
    terrain_flattened: bool = False
    radar_composite: str = "median"
    check_channels: Callable[[Sample], Verdict] | None = None
    """Holds the channels against the training's; None: there is no bundle yet."""


@dataclass(frozen=True, kw_only=True)
class Interpretation:
    """A scene that can be read, and what is to be said of it."""

    reading: Reading
    verdicts: list[Verdict]
    scene: Scene
    folder: Path


def interpret_scene(
    path: Path, conventions: ChannelConventions, *, placebo: bool = False
) -> Interpretation:
    """Read a scene file, find its files, and check them against what the bundle expects.

    Parameters
    ----------
    placebo
        Take the radar of the scene's `placebo` in place of that of the event.

    Raises
    ------
    InputError
        The file or one that it names cannot be read. What a check refuses is in the verdicts.
    """
    scene, folder = read_scene(path), path.parent
    layers = resolve_scene(scene, folder)
    if placebo:
        layers = _of_placebo(scene, layers, folder, path)
    grid = _scene_grid(layers)
    area: list[dict[str, Any]] = []
    if scene.area is not None:
        grid, area = cut_to_area(grid, folder / scene.area)
    reading = Reading(
        layers=layers,
        grid=grid,
        align=None if scene.align is None else scene.align.method,
        exclude=scene.clouds.exclude,
        reflectance_offset=conventions.reflectance_offset,
        area=area,
    )
    with gdal_env():
        reading = replace(reading, layers=_settled(reading))
        verdicts = check_reading(reading, conventions)
    verdicts = apply_trust(verdicts, {str(check): why for check, why in scene.trust.items()})
    for each in verdicts:
        logger.info("%s", each.line)
    return Interpretation(reading=reading, verdicts=verdicts, scene=scene, folder=folder)


def check_reading(reading: Reading, conventions: ChannelConventions) -> list[Verdict]:
    """Every check, each one line."""
    layers, grid = reading.layers, reading.grid
    with ExitStack() as stack:
        sample = take_sample(SceneReader(reading, stack))
    native = {file: read_grid(file) for file in continuous_files(layers)}
    moved = [file for file, own in native.items() if grid.offset_of(own) is None]
    metres = {file: max(own.pixel_metres()) for file, own in native.items()}
    longitude, _ = grid.centre()
    convention = conventions.reflectance_offset
    # Of a grid of degrees only the height of a pixel is that of 10 m.
    pixel = grid.pixel_metres()[1]
    found = [
        checks_optical.check_offset(sample, layers.optical, convention),
        checks_optical.check_bands(sample, layers.optical, convention),
        checks_radar.check_unit(sample, layers),
        checks_radar.check_radiometry(sample, layers, conventions.terrain_flattened),
        checks_radar.check_pairs(layers),
        checks_radar.check_looks(sample, layers, conventions.radar_composite),
        checks_radar.check_zeros(sample),
        checks_radar.check_spacing(sample, layers, metres, pixel),
        checks_scene.check_resampling(moved, reading.align),
        checks_scene.check_anisotropy(grid),
        checks_scene.check_dates(layers),
        checks_scene.check_season(layers),
        checks_scene.check_orbit(layers, longitude),
        checks_scene.check_overlap(sample),
        checks_scene.check_size(grid),
        checks_scene.check_missing(layers, list(conventions.channels)),
    ]
    if conventions.check_channels is not None:
        found.append(conventions.check_channels(sample))
    return [checks_scene.hold_against_names(each, layers) for each in found]


def continuous_files(layers: Layers) -> list[str]:
    """Files of the scene that are no masks."""
    bands = [] if layers.optical is None else list(layers.optical.bands.values())
    bands += [layer for look in layers.looks for layer in (look.vv, look.vh)]
    return list(dict.fromkeys(layer.file for layer in bands))


def _scene_grid(layers: Layers) -> Grid:
    """The grid that is mapped: that of the optics, else that of the first radar image."""
    if layers.optical is not None:
        return read_grid(layers.optical.bands["red"].file)
    return read_grid(layers.looks[0].vv.file)


def _settled(reading: Reading) -> Layers:
    """Layers with the units that values tell where nobody says them."""
    layers = reading.layers
    unknown = [look.vv for look in layers.looks if look.vv.unit == "unknown"]
    if not unknown:
        return layers
    raw: dict[Layer, RawFacts] = {}
    with ExitStack() as stack:
        reader = SceneReader(reading, stack)
        for layer in unknown:
            squares = sample_squares(reading.grid)
            values = [reader.source(layer).read(*square) for square in squares]
            raw[layer] = raw_facts(np.stack(values))
    return checks_radar.settle_units(layers, raw)


def _of_placebo(scene: Scene, layers: Layers, folder: Path, path: Path) -> Layers:
    if scene.placebo is None:
        raise InputError(f"{path} names no placebo")
    event, optical = scene.placebo.event or scene.event, scene.placebo.optical
    return replace(
        layers,
        optical=None if optical is None else resolve_optical(optical, folder),
        radar=resolve_radar(scene.placebo.radar, folder),
        event=event.isoformat(),
    )


def cut_to_area(grid: Grid, path: Path) -> tuple[Grid, list[dict[str, Any]]]:
    """The part of a grid that polygons lie in, and the polygons in its coordinates.

    Raises
    ------
    InputError
        The file holds no polygons, or they lie outside.
    """
    polygons = read_polygons(path, grid.crs)[0]
    whole = shapely.union_all(polygons)
    left, bottom, right, top = whole.bounds
    first = max(int((grid.top - top) // grid.down), 0)
    last = min(int(-((bottom - grid.top) // grid.down)), grid.height)
    start = max(int((left - grid.left) // grid.across), 0)
    end = min(int(-((grid.left - right) // grid.across)), grid.width)
    if first >= last or start >= end:
        raise InputError(
            f"{path} lies outside of the scene (its bounds {whole.bounds} in {grid.crs[:20]}, the "
            f"scene's {grid.bounds}); name another area"
        )
    return grid.part(first, start, last - first, end - start), [shapely.geometry.mapping(whole)]


def read_polygons(path: Path, crs: str) -> tuple[list[Any], Mapping[str, Any]]:
    """Polygons of a vector file in a coordinate system, and their columns.

    Raises
    ------
    InputError
        It cannot be read, has no coordinate system, or holds no polygons, or none that has a place
        in `crs`; others that have none are left out.
    """
    if not path.is_file():
        raise InputError(f"{path} is not there; name a file of polygons")
    layer = read_vectors(path)
    if layer.crs is None:
        raise InputError(f"{path} has no coordinate system; give it one")
    kept = [shape is not None and shape.geom_type.endswith("Polygon") for shape in layer.geometry]
    if not any(kept):
        raise InputError(f"{path} holds no polygons")
    target = rasterio.CRS.from_user_input(crs).to_wkt()
    with readable_vectors(path):
        turn = Transformer.from_crs(layer.crs, target, always_xy=True)
        moved = [
            shapely.transform(shape, lambda xy: _turned(turn, xy)) if keep else None
            for shape, keep in zip(layer.geometry, kept, strict=True)
        ]
        # What lies at the other end of the Earth has no place in a system of metres.
        kept = [
            shape is not None and bool(np.isfinite(shapely.get_coordinates(shape)).all())
            for shape in moved
        ]
        polygons = [
            shapely.make_valid(shape) for shape, keep in zip(moved, kept, strict=True) if keep
        ]
    if not polygons:
        raise InputError(
            f"no polygon of {path} has a place in the scene's coordinate system ({crs[:20]}); is "
            "the file's own the right one?"
        )
    columns = {
        name: [value for value, keep in zip(values, kept, strict=True) if keep]
        for name, values in layer.columns.items()
    }
    return polygons, columns


def _turned(turn: Transformer, xy: Any) -> Any:
    """Coordinates (n, 2) in another system."""
    return np.column_stack(turn.transform(xy[:, 0], xy[:, 1]))
