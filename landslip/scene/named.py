"""Which files a scene names: what jobs depend on, found without opening a raster."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from landslip.io.files import texts_digest
from landslip.io.kept_digests import kept_digest
from landslip.scene.catalogue import read_item
from landslip.scene.names import sibling
from landslip.scene.safe import product_files
from landslip.scene.settings import ORBITS, Band, LookFiles, Optical, Radar, Scene, read_scene
from landslip.scene.virtual import with_sources

MAP_FILES = (
    "probability.tif", "zones.gpkg", "item.json", "map.html", "checks.json", "drift.json",
    "style.qml",
)  # fmt: skip
"""Files of a map's folder."""
# Files that a Shapefile is made of beside its own.
_OF_SHAPEFILE = (".dbf", ".shx", ".prj", ".cpg")


def parts_beside(path: Path) -> list[Path]:
    """Files that belong to a vector file, as far as they are there.

    Of a GeoPackage that a program such as QGIS has open that is the file of its last changes.
    """
    if path.suffix.lower() == ".shp":
        return [part for part in map(path.with_suffix, _OF_SHAPEFILE) if part.is_file()]
    changes = path.with_name(f"{path.name}-wal")
    if path.suffix.lower() == ".gpkg" and changes.is_file() and changes.stat().st_size:
        return [changes]
    return []


def named_files(path: Path) -> list[str]:
    """Files that a scene file names and that are there, each once; the scene file first.

    Raises
    ------
    InputError
        The scene file is not valid.
    """
    scene, folder = read_scene(path), path.parent
    found = [path, *(folder / name for name in _names(scene, folder))]
    files = [inside for each in found for inside in _within(each)]
    return list(dict.fromkeys(str(file) for file in files))


def files_digest(files: list[str]) -> str:
    """A digest of contents, and of names as seen from the first: whether a file is another now."""
    folder = os.path.dirname(files[0])
    return texts_digest(
        part for file in files for part in (os.path.relpath(file, folder or "."), kept_digest(file))
    )


def _within(path: Path) -> Iterator[Path]:
    """Files of a product, or a file, those that it is a mosaic of and those that belong to it."""
    if path.is_dir():
        yield from (file for file in product_files(path) if file.is_file())
    elif path.is_file():
        yield from with_sources(path)
        yield from parts_beside(path)


def _names(scene: Scene, folder: Path) -> Iterator[str]:
    yield from (name for name in (scene.area, scene.units) if name is not None)
    yield from _of_optical(scene.optical, folder)
    yield from _of_radar(scene.radar)
    if scene.placebo is not None:
        yield from _of_optical(scene.placebo.optical, folder)
        yield from _of_radar(scene.placebo.radar)


def _of_optical(optical: Optical | None, folder: Path) -> Iterator[str]:
    if optical is None:
        return
    if optical.safe is not None:
        yield optical.safe
    if optical.item is not None:
        yield optical.item
        item = read_item(folder / optical.item)
        layers = [*item.bands.values(), *([item.scl] if item.scl else [])]
        yield from (os.path.abspath(layer.file) for layer in layers)
    if optical.bands is not None:
        bands: list[Band] = [
            getattr(optical.bands, name) for name in type(optical.bands).model_fields
        ]
        yield from (band.file for band in bands)
    if optical.scl is not None:
        yield optical.scl.file


def _of_radar(radar: Radar) -> Iterator[str]:
    for orbit in ORBITS:
        sides = getattr(radar, orbit)
        for look in [] if sides is None else [*sides.before, *sides.after]:
            yield from _of_look(look)


def _of_look(look: LookFiles) -> Iterator[str]:
    if look.file is not None:
        yield look.file
        yield from (str(sibling(look.file, layer)) for layer in ("VV", "VH", "ls_map", "mask"))
    yield from (band.file for band in (look.vv, look.vh, look.layover) if band is not None)
