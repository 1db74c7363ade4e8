"""Zones, blind spots and units in one GeoPackage, with the styles that QGIS opens them with."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import rasterio
import shapely

from landslip.io.files import atomic_path
from landslip.io.vectors import database, write_features

_STYLES = """
CREATE TABLE layer_styles (
  id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
  f_table_catalog TEXT(256), f_table_schema TEXT(256), f_table_name TEXT(256),
  f_geometry_column TEXT(256), styleName TEXT(30), styleQML TEXT, styleSLD TEXT,
  useAsDefault BOOLEAN, description TEXT, owner TEXT(30), ui TEXT(30),
  update_time DATETIME DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')))
"""
_INDEXES = "SELECT count(*) FROM sqlite_master WHERE sql LIKE 'CREATE VIRTUAL TABLE %rtree%'"
_CONTENTS = (
    "INSERT INTO gpkg_contents (table_name, data_type, identifier, description, last_change) "
    "VALUES ('layer_styles', 'attributes', 'layer_styles', '', ?)"
)
_ROW = (
    "INSERT INTO layer_styles (f_table_catalog, f_table_schema, f_table_name, f_geometry_column, "
    "styleName, styleQML, styleSLD, useAsDefault, description, owner, update_time) "
    "VALUES ('', '', ?, 'geom', ?, ?, '', 1, '', '', ?)"
)
# Nothing in a file depends on when it was written.
_TIME = "2000-01-01T00:00:00.000Z"


def write_geopackage(
    layers: Mapping[str, pd.DataFrame], styles: Mapping[str, str], crs: str, target: Path
) -> None:
    """Write tables with a column `geometry` as layers.

    Parameters
    ----------
    layers
        Name -> table; an empty one becomes an empty layer with its columns.
    styles
        Name -> QML.
    crs
        Of the geometries.
    """
    system = rasterio.CRS.from_user_input(crs).to_wkt()
    with atomic_path(target) as temporary:
        for at, (name, table) in enumerate(layers.items()):
            columns = table.drop(columns="geometry")
            geometry = np.array([_multi(each) for each in table["geometry"]], object)
            write_features(
                temporary,
                geometry=shapely.to_wkb(geometry),
                field_data=[_field(columns[column]) for column in columns],
                fields=np.array(list(columns), object),
                geometry_type="MultiPolygon",
                crs=system,
                layer=name,
                driver="GPKG",
                append=at > 0,
                dataset_options={"DATETIME_FORMAT": "UTC"} if at == 0 else None,
            )
        _check_indexes(temporary, layers)
        _add_styles(temporary, styles)


def _multi(geometry: shapely.Geometry) -> shapely.Geometry:
    """The polygons of a geometry as one multipolygon."""
    polygons = [part for part in shapely.get_parts(geometry) if part.geom_type == "Polygon"]
    return shapely.MultiPolygon(polygons)


def _field(values: pd.Series) -> np.ndarray:
    return values.to_numpy(object) if values.dtype == object else values.to_numpy()


def _check_indexes(path: Path, layers: Collection[str]) -> None:
    """Without room GDAL leaves the spatial index out, and says nothing."""
    with database(path) as base:
        found = base.execute(_INDEXES).fetchone()[0]
    if found != len(layers):
        raise OSError(f"{len(layers) - found} of {len(layers)} layers got no spatial index")


def _add_styles(path: Path, styles: Mapping[str, str]) -> None:
    with database(path) as base:
        if styles:
            base.execute(_STYLES)
            base.execute(_CONTENTS, (_TIME,))
            base.executemany(_ROW, [(name, name, qml, _TIME) for name, qml in styles.items()])
        base.execute("UPDATE gpkg_contents SET last_change = ?", (_TIME,))
