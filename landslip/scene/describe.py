"""A first scene.yaml from a folder: what lies there, and what is still to be said."""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from landslip.data.problems import is_text, printable
from landslip.io.files import InputError, write_text
from landslip.scene.catalogue import read_item
from landslip.scene.names import RadarName, orbit_by_hour, read_radar_name, sibling, solar_hour
from landslip.scene.rasters import gdal_env, grid_of, open_raster
from landslip.scene.safe import read_safe
from landslip.scene.settings import ORBITS

_RASTERS = (".tif", ".tiff", ".vrt", ".jp2")
_MASKS = ("ls_map", "mask")
# Folders of products, which some mirrors name without the ending.
_SAFE = re.compile(r".*\.SAFE$|S2[A-D]_MSIL2A_")


@dataclass
class Found:
    """What a folder holds, and what is not known of it."""

    optical: list[tuple[str, Path, str | None]] = field(default_factory=list)
    """Key of a scene file, path and day."""
    """Line of the scene file that names a product, such as "safe: x", and the day of it."""
    radar: dict[str, list[tuple[str, RadarName]]] = field(default_factory=lambda: defaultdict(list))
    """Orbit, or "" where it is not known -> files with what their names say."""
    lines: list[str] = field(default_factory=list)
    """What each file is."""


def describe_folder(folder: Path, target: Path) -> None:
    """Write a scene file from what names and metadata in a folder say.

    Parameters
    ----------
    folder
        Looked through to its bottom; products in SAFE folders and zips as one.
    target
        The scene file. Comments in it say what each file is; questions stand where only the user
        knows, and the file is not valid before they are answered.

    Raises
    ------
    InputError
        There is no such folder, or nothing in it that could belong to a scene.
    """
    if not folder.is_dir():
        raise InputError(f"{folder} is no folder; name the one that the scene's files lie in")
    found = look_through(folder)
    if not found.optical and not any(found.radar.values()):
        raise InputError(
            f"{folder} holds no product of Sentinel-1 or Sentinel-2 that is known; looked for SAFE "
            f"folders and zips, STAC items and rasters ({', '.join(_RASTERS)})"
        )
    write_text(target, scene_text(found, folder, target.parent))


def look_through(folder: Path) -> Found:
    """Say of each file in a folder what it is."""
    found = Found()
    for path in _candidates(folder):
        try:
            if not is_text(str(path)):
                raise InputError("its name is no UTF-8; rename it")
            _take(path, found)
        except (InputError, OSError) as error:
            why = " ".join(str(error).split())
            found.lines.append(f"{path.relative_to(folder)}: left out: {why}")
    return found


def _candidates(folder: Path) -> list[Path]:
    """Products and files, none that lies in a SAFE folder."""
    paths = []
    for place, folders, files in os.walk(folder):
        inside = Path(place)
        paths += [inside / name for name in folders if _SAFE.match(name)]
        folders[:] = sorted(name for name in folders if not _SAFE.match(name))
        # A pipe among them would be waited for.
        paths += [inside / name for name in files if (inside / name).is_file()]
    return sorted(paths)


def _take(path: Path, found: Found) -> None:
    suffix = path.suffix.lower()
    packed = suffix == ".zip" and "MSIL2A" in path.name
    if path.is_dir() or suffix == ".safe" or packed:
        product = read_safe(path)
        found.optical.append(("safe", path, product.date))
        found.lines.append(
            f"{path.name}: Sentinel-2 L2A of {product.date}, baseline {product.baseline}, offset "
            f"{product.bands['red'].add:g}"
        )
    elif suffix == ".json" and b'"assets"' in _beginning(path):
        product = read_item(path)
        found.optical.append(("item", path, product.date))
        found.lines.append(f"{path.name}: STAC item of {product.date}, {product.offset_source}")
    elif suffix in _RASTERS:
        _take_raster(path, found)


def _beginning(path: Path) -> bytes:
    """The first megabyte, more than any STAC item has; of another file no more is read."""
    with path.open("rb") as file:
        return file.read(1 << 20)


def _take_raster(path: Path, found: Found) -> None:
    name = read_radar_name(path)
    known = name.product in ("hyp3", "opera") or name.platform is not None
    if name.layer == "VH" and sibling(path, "VV").is_file():
        return
    if name.layer in _MASKS:
        return
    with gdal_env(), open_raster(str(path)) as raster:
        longitude, _ = grid_of(raster).centre()
        kind = f"{raster.width} x {raster.height} pixels, bands: {raster.count}"
    if not known:
        found.lines.append(f"{path.name}: a raster ({kind}); its name does not say what it shows")
        return
    orbit = ""
    if name.start is not None and name.timed:
        hour = solar_hour(name.start, longitude)
        orbit = orbit_by_hour(hour)
        when = f"{name.start:%Y-%m-%d}, {hour:.1f} h local solar time: {orbit}"
    else:
        when = "no time of day in its name"
    known_facts = [name.product, name.platform, name.radiometry, name.unit]
    facts = ", ".join(each for each in known_facts if each and each != "other")
    found.lines.append(f"{path.name}: radar {facts} of {when}")
    found.radar[orbit].append((str(path), name))


def scene_text(found: Found, folder: Path, beside: Path) -> str:
    """The scene file, with comments."""

    def shorter(path: str) -> str:
        return os.path.relpath(path, beside)

    questions = ["When was the event? Set event:, and see which images stand before and after."]
    scene: dict[str, Any] = {"name": printable(folder.resolve().name), "event": "YYYY-MM-DD"}
    if found.optical:
        kind, product, day = max(found.optical, key=lambda each: each[2] or "")
        scene["optical"] = {kind: shorter(str(product))}
        if len(found.optical) > 1:
            questions.append(f"There are {len(found.optical)} optical images; is {day} the one?")
    else:
        questions.append("No optical image was found; radar alone is mapped.")
    scene["radar"] = {}
    for orbit in ORBITS:
        looks = sorted(found.radar[orbit], key=lambda each: str(each[1].start))
        if not looks:
            questions.append(f"No image of the {orbit} orbit was found.")
            continue
        scene["radar"][orbit] = {
            "before": [_look(shorter(path), name) for path, name in looks[:-1]],
            "after": [_look(shorter(path), name) for path, name in looks[-1:]],
        }
        questions.append(f"{orbit}: is only the last image after the event? Move the others.")
        questions += _questions(orbit, [name for _, name in looks])
    for path, _ in found.radar[""]:
        questions.append(f"{Path(path).name}: which orbit, and which day? Put it under radar.")
    head = ["Written by `snakemake describe` from names and metadata. What each file is:"]
    lines = [*head, *(f"  {line}" for line in found.lines), "", "To be answered:"]
    lines += [f"  {number}. {text}" for number, text in enumerate(questions, start=1)]
    # Names and messages may hold line ends, behind which no comment goes on.
    comments = "".join(f"# {printable(line)}".rstrip() + "\n" for line in lines)
    return comments + yaml.safe_dump(scene, sort_keys=False, allow_unicode=True)


def _look(path: str, name: RadarName) -> dict[str, Any]:
    """One image, with blanks for what its name does not say."""
    look: dict[str, Any] = {"file": path}
    if name.unit is None:
        look["unit"] = None
    if name.radiometry is None:
        look["radiometry"] = None
    return look


def _questions(orbit: str, names: Sequence[RadarName]) -> list[str]:
    """What the names of an orbit's images leave open."""
    asked = []
    if any(name.unit is None for name in names):
        asked.append(f"{orbit}: what is the unit of the values: power, amplitude or db?")
    if any(name.radiometry is None for name in names):
        asked.append(f"{orbit}: sigma0, or gamma0 (terrain-flattened)?")
    if any(name.relative_orbit is None for name in names):
        asked.append(f"{orbit}: are all images of one relative orbit? Set relative_orbit.")
    if len({name.platform for name in names}) > 1:
        asked.append(f"{orbit}: the images are of several satellites; take those of one family.")
    return asked
