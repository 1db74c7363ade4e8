"""Vector files of a stranger are data: nothing in them is fetched, run or written."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import shapely
from inventory.inventories import write_inventory

from landslip.io.files import InputError
from landslip.io.vectors import layer_names, layers_digest, read_vectors

POINT: dict[str, Any] = {
    "type": "Feature",
    "properties": {"crs": "of old", "type": "link"},
    "geometry": {"type": "Point", "coordinates": [1, 2]},
}


def collection(**members: Any) -> dict[str, Any]:
    """A GeoJSON of one point."""
    return {"type": "FeatureCollection", **members, "features": [POINT]}


def link(address: str, kind: str = "link") -> dict[str, Any]:
    """A coordinate system that lies elsewhere."""
    return {"type": kind, "properties": {"href": address, "url": address}}


@pytest.mark.parametrize("case", ["crs", "CRS", "of a geometry", "escaped", "topology"])
@pytest.mark.parametrize("kind", ["link", "URL"])
def test_no_coordinate_system_is_fetched(
    case: str, kind: str, nobody_called: str, tmp_path: Path
) -> None:
    told = link(f"{nobody_called}/crs", kind)
    within = {**POINT, "geometry": {**POINT["geometry"], "crs": told}}
    objects = {"a": {"type": "GeometryCollection", "geometries": [POINT["geometry"]]}}
    content: dict[str, dict[str, Any]] = {
        "crs": collection(crs=told),
        "CRS": collection(CRS=told),
        "of a geometry": {"type": "FeatureCollection", "features": [within]},
        "escaped": collection(crs=told),
        "topology": {"type": "Topology", "crs": told, "objects": objects, "arcs": []},
    }
    text = json.dumps(content[case])
    if case == "escaped":
        text = text.replace('"crs": {"type": "l', '"\\u0063r\\u0073" : {"type": "\\u006c')
    (tmp_path / "a.geojson").write_text(text)
    for read in (read_vectors, layer_names, layers_digest):
        with pytest.raises(InputError, match=r"a\.geojson .*coordinate system by an address"):
            read(tmp_path / "a.geojson")


@pytest.mark.parametrize(
    "crs",
    [
        None,
        {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::32633"}},
        {"type": "EPSG", "properties": {"code": 32633}},
    ],
)
def test_a_coordinate_system_by_its_name_is_read(crs: Any, tmp_path: Path) -> None:
    (tmp_path / "a.geojson").write_text(json.dumps(collection(crs=crs), indent=1))
    layer = read_vectors(tmp_path / "a.geojson")
    assert (layer.crs == "EPSG:32633") == (crs is not None)
    assert layer.columns["crs"].tolist() == ["of old"]


def test_no_command_line_in_a_file_is_run(nobody_called: str, tmp_path: Path) -> None:
    # Since 3.11 GDAL reads what such a pipeline gives.
    command = f"gdal vector pipeline ! read /vsicurl/{nobody_called}/a.gpkg ! filter --bbox 0,0,1,1"
    for name in ("a.geojson", "a.gdalg.json", "a.csv"):
        path = tmp_path / name
        path.write_text(json.dumps({"type": "gdal_streamed_alg", "command_line": command}))
        with pytest.raises(InputError, match=f"{name} .*holds commands"):
            read_vectors(path)


@pytest.mark.parametrize("before", ["", " ", "\v", "\f", "\ufeff\n"])
def test_no_table_is_xml_that_names_other_files(
    before: str, nobody_called: str, tmp_path: Path
) -> None:
    source = f"<SrcDataSource>/vsicurl/{nobody_called}/a.gpkg</SrcDataSource>"
    text = f"<OGRVRTDataSource><OGRVRTLayer name='a'>{source}</OGRVRTLayer></OGRVRTDataSource>"
    (tmp_path / "filled.csv").write_text(before + text)
    with pytest.raises(InputError, match=r"filled\.csv is damaged \(it begins like no"):
        read_vectors(tmp_path / "filled.csv")


def test_a_table_in_utf16_is_refused_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "filled.csv").write_text("id,label\na,1\n", encoding="utf-16")
    with pytest.raises(InputError, match=r"filled\.csv .*is in UTF-16; save it as CSV in UTF-8"):
        read_vectors(tmp_path / "filled.csv")
    (tmp_path / "filled.csv").write_text("id,label\na,1\n", encoding="utf-8-sig")
    assert list(read_vectors(tmp_path / "filled.csv").columns) == ["id", "label"]


def altered(path: Path, *statements: str) -> Path:
    """A GeoPackage after some SQL."""
    write_inventory(path, [shapely.box(0, 0, 1, 1)], layer="zones", name=["one"])
    with closing(sqlite3.connect(path)) as base, base:
        # Of the index only GDAL knows the functions.
        for (name,) in base.execute(
            "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        ).fetchall():
            base.execute(f'DROP TRIGGER "{name}"')
        for statement in statements:
            base.execute(statement)
    return path


def test_triggers_of_a_geopackage_write_nothing(tmp_path: Path) -> None:
    events = [f"{when} {what}" for when in ("BEFORE", "AFTER") for what in ("UPDATE", "INSERT")]
    tables = ("zones", "gpkg_contents", "gpkg_ogr_contents")
    path = altered(
        tmp_path / "a.gpkg",
        "CREATE TABLE evidence (what TEXT)",
        *(
            f"CREATE TRIGGER '{table} {event}' {event} ON {table} "
            "BEGIN INSERT INTO evidence VALUES ('ran'); END"
            for table in tables
            for event in events
        ),
    )
    before = path.read_bytes()
    assert read_vectors(path, "zones").columns["name"].tolist() == ["one"]
    assert "zones" in layer_names(path)
    layers_digest(path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
    # They do what they are there for where somebody writes.
    with closing(sqlite3.connect(path)) as base, base:
        base.execute("UPDATE gpkg_contents SET description = 'x'")
        assert base.execute("SELECT count(*) FROM evidence").fetchone() != (0,)


@pytest.mark.parametrize(
    "function",
    ["gdal_get_pixel_value('/vsicurl/{}/a.tif', 1, 'pixel', 0, 0)", "load_extension('{}')"],
)
def test_views_of_a_geopackage_fetch_and_load_nothing(
    function: str, nobody_called: str, tmp_path: Path
) -> None:
    path = altered(
        tmp_path / "a.gpkg",
        "ALTER TABLE zones RENAME TO own",
        f"CREATE VIEW zones AS SELECT *, {function.format(nobody_called)} AS more FROM own",
    )
    try:
        layer = read_vectors(path, "zones")
    except InputError as error:
        assert "a.gpkg is damaged" in str(error)
    else:
        assert layer.columns["more"].tolist() == [None]
