"""Reads an inventory of landslides: outlines or points, their coordinate system and dates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError

from landslip.data.problems import shortened
from landslip.inventory.dates import as_days
from landslip.io.files import InputError
from landslip.io.nearest import nearest
from landslip.io.vectors import UNREADABLE, list_layers, read_features, readable_vectors

_LINES = {"LineString", "LinearRing"}


@dataclass(frozen=True, kw_only=True)
class Inventory:
    """Landslides of one file."""

    geometries: NDArray[np.object_]
    """(n,) valid polygons, points, or several of them; none is empty."""
    crs: CRS
    dates: NDArray[np.datetime64]
    """(n,) days; NaT where the file does not say."""
    notes: list[str] = field(default_factory=list)
    """What was left out and repaired, with counts; to be reported."""

    def to(self, crs: Any) -> Inventory:
        """The same in another coordinate system, x before y.

        Parameters
        ----------
        crs
            What `pyproj.CRS` takes.

        Raises
        ------
        InputError
            Coordinates have no place in that system, with how many.
        """
        target = CRS.from_user_input(crs)
        if target == self.crs:
            return self
        turn = Transformer.from_crs(self.crs, target, always_xy=True)
        moved = shapely.transform(
            self.geometries, lambda xy: np.column_stack(turn.transform(xy[:, 0], xy[:, 1]))
        )
        lost = ~_finite(moved)
        if lost.any():
            raise InputError(
                f"{lost.sum()} of {len(moved)} landslides of the inventory ({self.crs.name}) have "
                f"no place in {target.name}; is the inventory's coordinate system the right one?"
            )
        # Straight edges stay straight, so an outline may cross itself by a hair.
        bad = ~shapely.is_valid(moved)
        moved[bad] = [_areas_and_points(shape) for shape in shapely.make_valid(moved[bad])]
        return Inventory(geometries=moved, crs=target, dates=self.dates, notes=self.notes)


def read_inventory(
    path: Path | str, *, date_column: str | None = None, layer: str | None = None
) -> Inventory:
    """Read polygons and points of landslides.

    Parameters
    ----------
    path
        GeoPackage, Shapefile, GeoJSON or FlatGeobuf.
    date_column
        Column of the days on which they slid; None: all are unknown.
    layer
        Which of several layers of geometries; a file with one is read whatever its name.

    Returns
    -------
    Inventory
        Without what is empty; polygons that cross themselves are made valid. Both stand in
        `notes` with counts and the first features. Features are counted from 1, in the file's
        order.

    Raises
    ------
    InputError
        The file is not there, no vector file, has no coordinate system, or one that does not fit
        its coordinates; it has several layers and `layer` names none of them, or lacks the column;
        there are lines, or nothing is left; dates cannot be read.
    """
    path = Path(path)
    with readable_vectors(path):
        meta, _, geometry, fields = read_features(path, layer=_layer_of(path, layer), force_2d=True)
        columns = dict(zip(map(str, meta["fields"]), fields, strict=True))
    crs = _crs_of(meta["crs"], path)
    if date_column is not None and date_column not in columns:
        raise InputError(
            f"{path} has no column {date_column!r} (label.date_column)"
            f"{nearest(date_column, columns)}"
        )
    shapes, kept, notes = _usable(geometry, path)
    _check_extent(shapes, crs, path)
    if date_column is None:
        dates = np.full(len(shapes), np.datetime64("NaT"), "datetime64[D]")
    else:
        dates = as_days(columns[date_column], f"{path}, column {date_column}")[kept]
    return Inventory(geometries=shapes, crs=crs, dates=dates, notes=notes)


def _layer_of(path: Path, wanted: str | None) -> str:
    """The only layer that can hold geometries, or the wanted one of several."""
    if not path.is_file():
        hint = "it is a folder; name the file in it" if path.is_dir() else "name an existing file"
        raise InputError(f"inventory {path} is not there as a file: {hint}")
    try:
        layers = list_layers(path)
    except UNREADABLE as error:
        raise InputError(
            f"inventory {path} is no vector file that can be read ({error}); expected a "
            "GeoPackage, Shapefile (.shp beside its .shx and .dbf), GeoJSON or FlatGeobuf"
        ) from error
    known = [str(name) for name, kind in layers if kind is not None]
    if not known:
        raise InputError(f"inventory {path} is a table without geometries; expected polygons")
    if len(known) == 1 or wanted in known:
        return known[0] if len(known) == 1 else str(wanted)
    if wanted is None:
        raise InputError(
            f"inventory {path} has {len(known)} layers ({shortened(known)}); name that of the "
            "landslides in label.layer"
        )
    raise InputError(
        f"inventory {path} has no layer {wanted!r} (label.layer){nearest(wanted, known)}"
    )


def _crs_of(text: str | None, path: Path) -> CRS:
    """Coordinate system of a file, which must say where on Earth it is."""
    try:
        crs = None if text is None else CRS.from_user_input(text)
    except CRSError as error:
        raise InputError(f"{path}: its coordinate system cannot be read ({error})") from error
    if crs is None or crs.is_engineering or "undefined" in crs.name.lower():
        raise InputError(
            f"inventory {path} has no coordinate system; give it the one that it was drawn in "
            f"(a Shapefile's .prj, or ogr2ogr -a_srs EPSG:... NEW {path.name})"
        )
    return crs


def _usable(
    geometry: Sequence[bytes | None], path: Path
) -> tuple[NDArray[np.object_], NDArray[np.int64], list[str]]:
    """Valid geometries with something in them, their rows, and what was done to the others."""
    there = np.array([each is not None for each in geometry], np.bool_)
    shapes = shapely.from_wkb(np.array(geometry, object), on_invalid="ignore")
    broken = there & shapely.is_missing(shapes)
    kinds = [{part.geom_type for part in _parts(shape)} for shape in shapes]
    lines = np.array([bool(own) and own <= _LINES for own in kinds])
    if lines.any():
        raise InputError(
            f"inventory {path}: {lines.sum()} of {len(shapes)} features are lines "
            f"({_features(lines)}), which have no area; expected polygons or points: make polygons "
            "of closed lines, or buffer them by half of the landslides' width"
        )
    both = np.array([bool(own & _LINES) for own in kinds])
    # An infinite corner is no place, and what GEOS does with it is not said.
    endless = ~shapely.is_missing(shapes) & ~_finite(shapes)
    shapes[endless] = None
    crossing = ~shapely.is_missing(shapes) & ~shapely.is_valid(shapes)
    before = shapely.area(shapes[crossing]).sum()
    shapes[crossing] = shapely.make_valid(shapes[crossing])
    shapes = np.array([_areas_and_points(shape) for shape in shapes], object)
    collapsed = crossing & shapely.is_empty(shapes)
    empty = (shapely.is_missing(shapes) | shapely.is_empty(shapes)) & ~(
        collapsed | endless | broken
    )
    left_out = {
        "are empty": empty,
        "cannot be read": broken,
        "have coordinates that are no numbers": endless,
        "have no area, for they cross themselves all over": collapsed,
    }
    notes = [
        f"{mask.sum()} of {len(shapes)} features {what} and were left out ({_features(mask)})"
        for what, mask in left_out.items()
        if mask.any()
    ]
    if both.any():
        notes.append(
            f"{both.sum()} of {len(shapes)} features hold lines beside polygons or points, which "
            f"were left out of them ({_features(both)})"
        )
    mended = crossing & ~collapsed
    if mended.any():
        after = shapely.area(shapes[mended]).sum()
        notes.append(
            f"{mended.sum()} of {len(shapes)} features cross or touch themselves and were repaired "
            f"({_features(mended)}); their area, in squares of the file's unit, was {before:.6g} "
            f"and is {after:.6g}"
        )
    kept = np.flatnonzero(~(shapely.is_missing(shapes) | shapely.is_empty(shapes)))
    if not len(kept):
        raise InputError(
            f"inventory {path} holds no polygon and no point among {len(shapes)} features"
            + "".join(f"; {note}" for note in notes)
        )
    return shapes[kept], kept, notes


def _areas_and_points(shape: Any) -> Any:
    """The polygons of a geometry, or its points where it has none; what is left of a repair."""
    if shape is None or shape.geom_type in ("Polygon", "MultiPolygon", "Point", "MultiPoint"):
        return shape
    parts = _parts(shape)
    polygons = [part for part in parts if part.geom_type == "Polygon"]
    if polygons:
        return shapely.union_all(polygons)
    return shapely.MultiPoint([part for part in parts if part.geom_type == "Point"])


def _parts(shape: Any) -> NDArray[np.object_]:
    """What a geometry consists of, none of it several; nothing of one that is not there."""
    parts = shapely.get_parts(shape)
    while any(part.geom_type.startswith(("Multi", "Geometry")) for part in parts):
        parts = shapely.get_parts(parts)
    return np.asarray(parts, object)


def _finite(shapes: NDArray[np.object_]) -> NDArray[np.bool_]:
    """Geometries all of whose coordinates are finite numbers; what has none has no others."""
    coordinates, owner = shapely.get_coordinates(shapes, return_index=True)
    finite = np.ones(len(shapes), np.bool_)
    finite[owner[~np.isfinite(coordinates).all(axis=1)]] = False
    return finite


def _check_extent(shapes: NDArray[np.object_], crs: CRS, path: Path) -> None:
    """Refuse metres that are said to be degrees, as a GeoJSON file without a system has them."""
    if not crs.is_geographic:
        return
    left, bottom, right, top = shapely.bounds(shapes).T
    outside = (left < -360) | (right > 360) | (bottom < -90.001) | (top > 90.001)
    if outside.any():
        raise InputError(
            f"inventory {path}: {outside.sum()} of {len(shapes)} features lie beyond the degrees "
            f"of its coordinate system ({crs.name}), the first at {left[outside][0]:.9g} "
            f"{bottom[outside][0]:.9g}; its coordinates seem to be metres: give it the system that "
            "it was drawn in, or save it as a GeoPackage"
        )


def _features(mask: NDArray[np.bool_]) -> str:
    """Which features, the first of many; counted from 1."""
    numbers = np.flatnonzero(mask) + 1
    word = "feature" if len(numbers) == 1 else "features"
    return f"{word} {shortened([str(number) for number in numbers])}"
