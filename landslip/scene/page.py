"""The map's page: one file that works without internet."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from landslip.io.files import read_json, write_text
from landslip.io.templates import template_environment
from landslip.scene.pictures import background, probability_overlay, shrink
from landslip.scene.plan import MapPlan
from landslip.scene.styles import RAMP
from landslip.scene.zones import CAUSES


def write_page(
    plan: MapPlan,
    *,
    probability: Path,
    findings: Path,
    checks: Path,
    drift: Mapping[str, Any],
    bundle: Mapping[str, Any],
    made: Mapping[str, str],
    target: Path,
) -> None:
    """Write map.html.

    Parameters
    ----------
    plan
        The map.
    probability, findings, checks
        What other jobs wrote of it.
    drift
        `words`, `rows` and `limit`; see `landslip.scene.drift`.
    bundle
        `name`.
    made
        How it was made, as rows of a table.
    """
    content = read_json(findings)
    grid = plan.reading.grid
    step = shrink(grid.height, grid.width)
    environment = template_environment(__file__)
    environment.filters.update(km2=_km2, percent=_percent, number=_number, path=_path)
    page = environment.get_template("map.html").render(
        **content,
        name=plan.name,
        event=plan.event,
        optical=plan.reading.layers.optical is not None,
        width=-(-grid.width // step),
        height=-(-grid.height // step),
        picture=background(plan.reading),
        overlay=probability_overlay(str(probability)),
        ramp=", ".join(_css(colour, level) for level, colour in RAMP),
        causes=CAUSES,
        checks=read_json(checks),
        drift=drift,
        bundle=bundle,
        made=made,
        shown=sum("pictures" in zone for zone in content["zones"]),
        simulated=bool(bundle.get("simulated")),
    )
    write_text(target, page)


def _css(colour: str, level: float) -> str:
    red, green, blue, alpha = colour.split(",")
    return f"rgba({red},{green},{blue},{int(alpha) / 255:.2f}) {level:.0%}"


def _km2(value: float | None) -> str:
    if value is None or math.isnan(value):
        return "–"
    return f"{value:,.0f}" if value >= 100 else f"{value:.2f}"


def _percent(value: float | None) -> str:
    return "–" if value is None or math.isnan(value) else f"{value:.1%}"


def _number(value: float | None) -> str:
    return "–" if value is None or math.isnan(value) else f"{value:.3g}"


def _path(rings: list[list[list[float]]]) -> str:
    """Rings as an SVG path."""
    return "".join(
        "M" + "L".join(f"{x:g} {y:g}" for x, y in ring[:-1]) + "Z" for ring in rings if ring
    )
