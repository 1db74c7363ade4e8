"""The map as a STAC item, for catalogues."""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pystac
import shapely
from pyproj import Transformer

from landslip.io.files import write_text
from landslip.scene.rasters import Grid
from landslip.scene.tiles import NODATA, STEPS

_PROJECTION = "https://stac-extensions.github.io/projection/v2.0.0/schema.json"
_RASTER = "https://stac-extensions.github.io/raster/v1.1.0/schema.json"
_ASSETS = {
    "probability.tif": ("Probability and flags", pystac.MediaType.COG, ["data"]),
    "zones.gpkg": ("Search zones, blind spots and units", pystac.MediaType.GEOPACKAGE, ["data"]),
    "map.html": ("Page", pystac.MediaType.HTML, ["overview"]),
    "checks.json": ("Verdicts of the interpreter", pystac.MediaType.JSON, ["metadata"]),
    "style.qml": ("Style of QGIS", pystac.MediaType.XML, ["metadata"]),
}


def write_item(
    *,
    name: str,
    event: str,
    dates: list[str],
    grid: Grid,
    facts: Mapping[str, Any],
    target: Path,
) -> None:
    """Write the item that stands beside the map.

    Parameters
    ----------
    name
        Of the scene.
    event
        ISO 8601 day.
    dates
        ISO 8601 days of all images.
    facts
        Further properties, under `landslip:`.
    """
    outline = _outline(grid)
    days = sorted([*dates, event])
    item = pystac.Item(
        id=_identifier(name, event),
        geometry=shapely.geometry.mapping(outline),
        bbox=list(outline.bounds),
        datetime=_midnight(event),
        properties={f"landslip:{key}": value for key, value in facts.items()},
        start_datetime=_midnight(days[0]),
        end_datetime=_midnight(days[-1]),
        stac_extensions=[_PROJECTION, _RASTER],
    )
    item.common_metadata.title = name
    item.properties.update(
        {
            "proj:code": grid.crs if grid.crs.startswith("EPSG:") else None,
            "proj:shape": [grid.height, grid.width],
            "proj:transform": [grid.across, 0.0, grid.left, 0.0, -grid.down, grid.top],
        }
    )
    if item.properties["proj:code"] is None:
        item.properties["proj:wkt2"] = grid.crs
    for file, (title, kind, roles) in _ASSETS.items():
        item.add_asset(
            file.split(".")[0] if file != "map.html" else "page",
            pystac.Asset(href=f"./{file}", title=title, media_type=kind, roles=roles),
        )
    item.assets["probability"].extra_fields["raster:bands"] = [
        {"data_type": "uint8", "nodata": NODATA, "scale": 1 / STEPS, "offset": 0,
         "spatial_resolution": grid.down},
        {"data_type": "uint8"},
    ]  # fmt: skip
    said = item.to_dict(include_self_link=False, transform_hrefs=False)
    write_text(target, json.dumps(said, indent=2, allow_nan=False) + "\n")


def _outline(grid: Grid) -> Any:
    turn = Transformer.from_crs(grid.crs, "EPSG:4326", always_xy=True)
    left, bottom, right, top = grid.bounds
    corners = [(left, bottom), (right, bottom), (right, top), (left, top)]
    return shapely.Polygon([turn.transform(*corner) for corner in corners])


def _midnight(day: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(day).replace(tzinfo=datetime.UTC)


def _identifier(name: str, event: str) -> str:
    kept = "".join(letter if letter.isalnum() else "-" for letter in name.lower()).strip("-")
    return f"{kept or 'scene'}-{event}"
