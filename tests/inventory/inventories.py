"""Inventories that tests write."""

from pathlib import Path
from typing import Any

import numpy as np
import pyogrio
import shapely

DRIVERS = {
    ".gpkg": "GPKG", ".shp": "ESRI Shapefile", ".geojson": "GeoJSON", ".fgb": "FlatGeobuf",
}  # fmt: skip
UTM = "EPSG:32633"


def write_inventory(
    path: Path,
    geometries: list[Any],
    crs: str | None = UTM,
    layer: str | None = None,
    **columns: Any,
) -> Path:
    """Write geometries, which may be None or empty, in the format of the path's suffix."""
    fields = {"slide": np.arange(1, len(geometries) + 1), **columns}
    pyogrio.raw.write(
        path,
        geometry=shapely.to_wkb(np.array(geometries, object)),
        field_data=[np.asarray(values) for values in fields.values()],
        fields=list(fields),
        geometry_type="Unknown",
        crs=crs,
        layer=layer or path.stem,
        driver=DRIVERS[path.suffix],
        append=path.exists(),
        **({"SPATIAL_INDEX": "NO"} if path.suffix == ".fgb" else {}),
    )
    return path
