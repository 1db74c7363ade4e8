"""What the jobs of a map do, from files to files."""

from __future__ import annotations

import importlib.metadata
import logging
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from landslip.bundle.ensemble import Ensemble, load
from landslip.io.files import atomic_path, read_json, write_json, write_text
from landslip.scene.ask import conventions_of, is_exchanged, patch_side, predict_with
from landslip.scene.drift import scene_drift
from landslip.scene.findings import write_findings
from landslip.scene.item import write_item
from landslip.scene.mosaic import write_mosaic
from landslip.scene.page import write_page
from landslip.scene.plan import MapPlan, MapSettings, plan_map, read_plan
from landslip.scene.reader import Flag
from landslip.scene.styles import raster_style
from landslip.scene.tiles import Predict, map_tile, write_tile

logger = logging.getLogger(__name__)

CONTENTS = (
    "probability.tif", "zones.gpkg", "item.json", "map.html", "checks.json", "drift.json",
    "style.qml",
)  # fmt: skip
"""Files of a map's folder."""


def plan_scene(
    scene: Path,
    bundle: Path,
    settings: Mapping[str, Any],
    *,
    placebo: bool,
    plan: Path,
    checks: Path,
) -> None:
    """Interpret a scene for a bundle; see `landslip.scene.plan.plan_map`.

    Parameters
    ----------
    settings
        stride, rule and tile; see `landslip.scene.plan.MapSettings`.
    """
    ensemble = load(bundle)
    if is_exchanged(ensemble):
        logger.info("the bundle's channel red holds the blue band, and blue the red one")
    plan_map(
        scene,
        conventions_of(ensemble),
        MapSettings(**settings),
        patch=patch_side(ensemble),
        placebo=placebo,
        plan=plan,
        checks=checks,
    )


def map_one_tile(
    plan: Path,
    bundle: Path,
    question: Mapping[str, Any],
    *,
    tile: int,
    device: str,
    threads: int,
    image: Path,
    cells: Path,
) -> None:
    """Map one tile; see `landslip.scene.tiles.map_tile`."""
    said = read_plan(plan)
    asked = _ask(bundle, question, device, threads)
    own = said.tiles[tile]
    mapped = map_tile(said.reading, said.cells, own, said.rule, asked)
    write_tile(mapped, said.reading, said.cells, own, image, cells)


def join_tiles(plan: Path, bundle: Path, images: Sequence[Path], target: Path) -> None:
    """Join tiles; the file's tags say what made it."""
    said = read_plan(plan)
    tags = {
        "SCENE": said.name,
        "EVENT": said.event,
        "BUNDLE": load(bundle).digest,
        "STRIDE": str(said.cells.stride),
        "PATCH": str(said.cells.patch),
        "CELL": said.rule,
        "PROBABILITY": "band 1 / 250; 255: nothing can be said",
        "FLAGS": ", ".join(f"{flag.value} {str(flag.name).lower()}" for flag in Flag),
        "LANDSLIP": _version(),
    }
    write_mosaic(images, said.tiles, said.reading.grid, said.cells, tags, target)


def write_zones(
    plan: Path,
    cells: Sequence[Path],
    placebo_plan: Sequence[Path],
    placebo_cells: Sequence[Path],
    bundle: Path,
    question: Mapping[str, Any],
    *,
    threshold: float | None,
    device: str,
    threads: int,
    target: Path,
    facts: Path,
) -> None:
    """Write what the cells say; see `landslip.scene.findings.write_findings`."""
    write_findings(
        read_plan(plan),
        cells,
        read_plan(placebo_plan[0]) if placebo_plan else None,
        placebo_cells,
        _ask(bundle, question, device, threads),
        threshold=threshold,
        target=target,
        facts=facts,
    )


def finish_map(
    plan: Path,
    *,
    checks: Path,
    probability: Path,
    zones: Path,
    facts: Path,
    bundle: Path,
    question: Mapping[str, Any],
    page: Path,
    archive: Path,
) -> None:
    """Write page, item, style, verdicts and drift beside the map, and all of it as one .zip."""
    said, ensemble = read_plan(plan), load(bundle)
    folder = page.parent
    drift = scene_drift(said.reading, ensemble)
    logger.info("%s", drift["words"])
    write_json(folder / "drift.json", drift)
    write_json(folder / "checks.json", read_json(checks))
    write_text(folder / "style.qml", raster_style())
    layers = said.reading.layers
    days = [look.day for look in layers.looks if look.day]
    if layers.optical is not None and layers.optical.date:
        days.append(layers.optical.date)
    made = _made(said, ensemble, question)
    write_item(
        name=said.name,
        event=said.event,
        dates=days,
        grid=said.reading.grid,
        facts={"bundle": ensemble.digest, "stride": said.cells.stride, "cell": said.rule},
        probability=probability,
        zones=zones,
        target=folder / "item.json",
    )
    write_page(
        said,
        probability=probability,
        findings=facts,
        checks=checks,
        drift=drift,
        bundle={
            "name": f"the bundle {ensemble.digest[:12]}",
            "simulated": ensemble.record["training"]["simulated"],
        },
        made=made,
        target=page,
    )
    with atomic_path(archive) as temporary, zipfile.ZipFile(temporary, "w") as packed:
        for name in CONTENTS:
            # Times are those of nobody's clock, so that the same map is the same archive.
            entry = zipfile.ZipInfo(f"map/{name}")
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            packed.writestr(entry, (folder / name).read_bytes())


def _ask(bundle: Path, question: Mapping[str, Any], device: str, threads: int) -> Predict:
    return predict_with(load(bundle, device=device, threads=threads), **question)


def _made(plan: MapPlan, ensemble: Ensemble, question: Mapping[str, Any]) -> dict[str, str]:
    """How the map was made, as rows of a table."""
    grid, layers = plan.reading.grid, plan.reading.layers
    training = ensemble.record["training"]
    rows = {
        "scene": f"{grid.width} x {grid.height} pixels, {grid.crs[:40]}",
        "cells": f"{plan.cells.stride} pixels a side; score: {plan.rule}",
        "patch": f"{plan.cells.patch} pixels a side",
        "bundle": f"{ensemble.digest}, trained on {training['patches']} patches, "
        f"{training['positives']} of them landslides"
        + (" (simulated)" if training["simulated"] else ""),
        "asked": ", ".join(f"{key} {value}" for key, value in question.items() if value),
        "resampled by": plan.reading.align or "nothing is resampled",
    }
    if is_exchanged(ensemble):
        rows["red and blue"] = (
            "the training's channel red holds the blue band (open water is brightest in it), so "
            "the scene's blue is given to it, and its red to blue"
        )
    if layers.optical is not None:
        rows["optics"] = f"{layers.optical.date}, {layers.optical.told_by}"
    for orbit, sides in layers.radar.items():
        days = {side: ", ".join(str(look.day) for look in looks) for side, looks in sides.items()}
        rows[orbit] = f"before: {days['before']}; after: {days['after']}"
    files = [Path(file).name for file in layers.files]
    rows["files"] = ", ".join(files)
    return rows


def _version() -> str:
    try:
        return importlib.metadata.version("landslip")
    except importlib.metadata.PackageNotFoundError:
        return "source"
