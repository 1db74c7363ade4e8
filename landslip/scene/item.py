"""The map as a STAC item, for catalogues."""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import pystac
import shapely
from pydantic import Field
from pyproj import Transformer
from typing_extensions import TypedDict

from landslip.io.files import InputError, file_digest, write_text
from landslip.io.records import Digest, read_record
from landslip.io.vectors import layers_digest
from landslip.scene.rasters import Grid
from landslip.scene.tiles import NODATA, STEPS

NAME = "item.json"
_PROJECTION = "https://stac-extensions.github.io/projection/v2.0.0/schema.json"
_RASTER = "https://stac-extensions.github.io/raster/v1.1.0/schema.json"
_FILE = "https://stac-extensions.github.io/file/v2.1.0/schema.json"
# A multihash: SHA-256, 32 bytes.
_CHECKSUM, _SHA256 = "file:checksum", "1220"
# Of the zones' content, for QGIS changes a GeoPackage's bytes; a person may fill this column.
_LAYERS, _FILLED = "landslip:layers_sha256", ("verdict",)
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
    probability: Path,
    zones: Path,
    target: Path,
) -> None:
    """Write the item that stands beside the map, with digests of what others read of it.

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
    probability, zones
        The map's raster and its layers.
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
        stac_extensions=[_PROJECTION, _RASTER, _FILE],
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
    item.assets["probability"].extra_fields[_CHECKSUM] = _SHA256 + file_digest(probability)
    item.assets["zones"].extra_fields[_LAYERS] = layers_digest(zones, but=_FILLED)
    item_json = item.to_dict(include_self_link=False, transform_hrefs=False)
    write_text(target, json.dumps(item_json, indent=2, allow_nan=False) + "\n")


_Multihash = Annotated[str, Field(pattern="^1220[0-9a-f]{64}$")]
# Of keys with a colon no class can be written.
_Raster = TypedDict("_Raster", {"file:checksum": _Multihash})
_Vectors = TypedDict("_Vectors", {"landslip:layers_sha256": Digest})


class _Assets(TypedDict):
    """Of a map's item, as far as they are compared with the files."""

    probability: _Raster
    zones: _Vectors


class _Item(TypedDict):
    assets: _Assets


def verify_map(folder: Path) -> None:
    """Compare a map's raster and layers with the digests in its item.

    Raises
    ------
    InputError
        One has changed since the map was made, or the item is damaged.
    """
    path = folder / NAME
    assets = read_record(path, _Item)["assets"]
    raster, zones = folder / "probability.tif", folder / "zones.gpkg"
    changed = []
    if _SHA256 + file_digest(raster) != assets["probability"][_CHECKSUM]:
        changed.append(raster)
    if layers_digest(zones, but=_FILLED) != assets["zones"][_LAYERS]:
        changed.append(zones)
    if changed:
        raise InputError(
            f"{' and '.join(map(str, changed))} changed since the map was made ({path} holds "
            "another SHA-256); take the map out of its map.zip again, or map the scene again"
        )


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
