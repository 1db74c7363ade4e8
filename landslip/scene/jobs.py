"""What the jobs of a map do, from files to files."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from landslip.bundle.ensemble import Ensemble, load
from landslip.io.archives import pack
from landslip.io.files import read_json, write_json, write_text
from landslip.io.version import landslip_version
from landslip.scene.ask import conventions_of, is_exchanged, patch_side, predict_with, sensor_names
from landslip.scene.drift import scene_drift
from landslip.scene.findings import write_findings
from landslip.scene.item import write_item
from landslip.scene.mosaic import write_mosaic
from landslip.scene.named import MAP_FILES
from landslip.scene.page import write_page
from landslip.scene.plan import MapPlan, MapSettings, plan_map, read_plan
from landslip.scene.reader import Flag
from landslip.scene.styles import raster_style
from landslip.scene.tiles import map_tile, write_tile

logger = logging.getLogger(__name__)


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
    planned = read_plan(plan)
    ensemble = load(bundle, device=device, threads=threads)
    own = planned.tiles[tile]
    asked, sensors = predict_with(ensemble, **question), sensor_names(ensemble)
    mapped = map_tile(planned.reading, planned.cells, own, planned.rule, asked, sensors)
    write_tile(mapped, planned.reading, planned.cells, own, image, cells)


def join_tiles(plan: Path, bundle: Path, images: Sequence[Path], target: Path) -> None:
    """Join tiles; the file's tags say what made it."""
    planned = read_plan(plan)
    tags = {
        "SCENE": planned.name,
        "EVENT": planned.event,
        "BUNDLE": load(bundle).digest,
        "STRIDE": str(planned.cells.stride),
        "PATCH": str(planned.cells.patch),
        "CELL": planned.rule,
        "PROBABILITY": "band 1 / 250; 255: nothing can be said",
        "FLAGS": ", ".join(f"{flag.value} {str(flag.name).lower()}" for flag in Flag),
        "LANDSLIP": landslip_version(),
    }
    write_mosaic(images, planned.tiles, planned.reading.grid, planned.cells, tags, target)


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
        predict_with(load(bundle, device=device, threads=threads), **question),
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
    planned, ensemble = read_plan(plan), load(bundle)
    folder = page.parent
    drift = scene_drift(planned.reading, ensemble)
    logger.info("%s", drift["words"])
    write_json(folder / "drift.json", drift)
    write_json(folder / "checks.json", read_json(checks))
    write_text(folder / "style.qml", raster_style())
    layers = planned.reading.layers
    days = [look.day for look in layers.looks if look.day]
    if layers.optical is not None and layers.optical.date:
        days.append(layers.optical.date)
    made = _made(planned, ensemble, question)
    write_item(
        name=planned.name,
        event=planned.event,
        dates=days,
        grid=planned.reading.grid,
        facts={"bundle": ensemble.digest, "stride": planned.cells.stride, "cell": planned.rule},
        probability=probability,
        zones=zones,
        target=folder / "item.json",
    )
    write_page(
        planned,
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
    pack({f"map/{name}": folder / name for name in MAP_FILES}, archive)


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
        rows["optical image"] = f"{layers.optical.date}, {layers.optical.offset_source}"
    for orbit, sides in layers.radar.items():
        days = {side: ", ".join(str(look.day) for look in looks) for side, looks in sides.items()}
        rows[orbit] = f"before: {days['before']}; after: {days['after']}"
    files = [Path(file).name for file in layers.files]
    rows["files"] = ", ".join(files)
    return rows
