"""Inventories come in many formats and of uneven quality; what is done about it is said."""

import struct
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pyogrio
import pytest
import shapely
from inventory.inventories import DRIVERS, UTM, write_inventory
from pyproj import CRS

from landslip.inventory.reach import refuse_elsewhere
from landslip.inventory.read import read_inventory
from landslip.io.files import InputError

BOX = shapely.box(500000, 5000000, 500100, 5000200)
BOWTIE = shapely.Polygon(
    [(500000, 5000000), (500100, 5000100), (500100, 5000000), (500000, 5000100)]
)


@pytest.mark.parametrize("suffix", DRIVERS)
def test_polygons_are_read_from_any_usual_format(tmp_path: Path, suffix: str):
    path = write_inventory(tmp_path / f"slides{suffix}", [BOX, shapely.affinity.translate(BOX, 9)])
    found = read_inventory(path)
    assert found.crs == CRS(UTM) and found.notes == []
    assert shapely.area(found.geometries) == pytest.approx([20000, 20000])
    assert np.isnat(found.dates).all() and found.dates.dtype == "datetime64[D]"


@pytest.mark.parametrize("suffix", [".gpkg", ".fgb"])
def test_a_layer_whose_name_is_no_utf8_is_refused(tmp_path: Path, suffix: str):
    path = write_inventory(tmp_path / f"slides{suffix}", [BOX])
    path.write_bytes(path.read_bytes().replace(b"slides", b"\xfflides"))
    with pytest.raises(InputError, match=r"slides\..*is no vector file that can be read"):
        read_inventory(path)


def test_points_and_parts_in_three_dimensions_are_read_flat(tmp_path: Path):
    several = shapely.MultiPolygon([BOX, shapely.affinity.translate(BOX, 500)])
    path = write_inventory(tmp_path / "a.gpkg", [shapely.Point(1, 2, 3), several])
    found = read_inventory(path).geometries
    assert found[0].equals(shapely.Point(1, 2)) and not found[0].has_z
    assert found[1].area == pytest.approx(40000)


def test_curves_are_read_as_polygons(tmp_path: Path):
    """A circle of radius 50 as a GIS may draw it: two arcs, which shapely knows nothing of."""
    corners = [(0, 0), (50, 50), (100, 0), (50, -50), (0, 0)]
    arcs = struct.pack("<BII", 1, 8, 5) + b"".join(struct.pack("<dd", *xy) for xy in corners)
    path = tmp_path / "a.gpkg"
    pyogrio.raw.write(
        path, geometry=np.array([struct.pack("<BII", 1, 10, 1) + arcs], object), field_data=[],
        fields=[], geometry_type="Unknown", crs=UTM, driver="GPKG", layer="a",
    )  # fmt: skip
    found = read_inventory(path)
    assert not found.notes
    assert found.geometries[0].area == pytest.approx(np.pi * 50**2, rel=1e-3)


def test_heights_in_the_coordinate_system_change_no_place(tmp_path: Path):
    high = shapely.force_3d(BOX, 1234.0)
    flat = read_inventory(write_inventory(tmp_path / "flat.gpkg", [BOX]))
    with_heights = read_inventory(write_inventory(tmp_path / "a.gpkg", [high], "EPSG:32633+5773"))
    for crs in ("EPSG:4326", "EPSG:32632"):
        one, two = (each.to(crs).geometries[0] for each in (flat, with_heights))
        assert one.symmetric_difference(two).area < 1e-9 * one.area + 1e-6


def test_an_inventory_is_brought_to_another_system_and_back(tmp_path: Path):
    found = read_inventory(write_inventory(tmp_path / "a.gpkg", [BOX]))
    degrees = found.to("EPSG:4326")
    assert 14.9 < degrees.geometries[0].centroid.x < 15.1  # x is the longitude
    assert found.to(UTM) is found
    back = degrees.to(UTM).geometries[0]
    assert back.symmetric_difference(BOX).area < 1e-3


@pytest.mark.parametrize("suffix", [".gpkg", ".shp", ".fgb"])
def test_an_inventory_without_a_coordinate_system_is_refused(tmp_path: Path, suffix: str):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        path = write_inventory(tmp_path / f"a{suffix}", [BOX], crs=None)
    with pytest.raises(InputError, match=r"no coordinate system.*a_srs"):
        read_inventory(path)


def test_metres_that_are_said_to_be_degrees_are_refused_with_their_number(tmp_path: Path):
    near = shapely.box(10, 45, 10.1, 45.1)
    path = write_inventory(tmp_path / "a.geojson", [BOX, near], crs="EPSG:4326")
    with pytest.raises(InputError, match=r"1 of 2 features.*500000 5000000.*metres"):
        read_inventory(path)


def test_coordinates_without_a_place_in_the_scenes_system_are_refused(tmp_path: Path):
    far = shapely.Point(1e12, 1e12)
    found = read_inventory(write_inventory(tmp_path / "a.gpkg", [BOX, far]))
    with pytest.raises(InputError, match=r"1 of 2 landslides.*UTM zone 33N.*no place"):
        found.to("EPSG:32601")


def test_empty_geometries_are_left_out_and_counted(tmp_path: Path):
    path = write_inventory(tmp_path / "a.gpkg", [None, BOX, shapely.Polygon()], day=["a", "b", "c"])
    found = read_inventory(path)
    assert len(found.geometries) == len(found.dates) == 1
    assert found.notes == ["2 of 3 features are empty and were left out (features 1, 3)"]


def test_an_inventory_of_nothing_is_refused_with_counts(tmp_path: Path):
    path = write_inventory(tmp_path / "a.gpkg", [None, shapely.Polygon()])
    with pytest.raises(InputError, match=r"no polygon and no point among 2 features; 2 of 2"):
        read_inventory(path)


def test_polygons_that_cross_themselves_are_repaired_and_counted(tmp_path: Path):
    folded = shapely.Polygon([(0, 0), (9, 0), (0, 0)])  # no area at all
    endless = shapely.Point(float("inf"), 0)
    path = write_inventory(tmp_path / "a.gpkg", [BOX, BOWTIE, folded, BOWTIE, endless])
    found = read_inventory(path)
    assert shapely.is_valid(found.geometries).all()
    assert shapely.area(found.geometries) == pytest.approx([20000, 5000, 5000])
    endless_note, collapsed, mended = found.notes
    assert "1 of 5 features have coordinates that are no numbers" in endless_note
    assert "1 of 5 features have no area" in collapsed and "(feature 3)" in collapsed
    assert "2 of 5 features" in mended and "repaired (features 2, 4)" in mended
    assert "and is 10000" in mended


def test_of_many_repairs_the_first_are_named(tmp_path: Path):
    path = write_inventory(tmp_path / "a.gpkg", [BOWTIE] * 30)
    assert "features 1, 2, 3 and 27 more" in read_inventory(path).notes[0]


def test_lines_are_refused_with_their_number(tmp_path: Path):
    line = shapely.LineString([(0, 0), (1, 1)])
    path = write_inventory(tmp_path / "a.gpkg", [BOX, line, shapely.MultiLineString([line])])
    with pytest.raises(InputError, match=r"2 of 3 features are lines \(features 2, 3\).*buffer"):
        read_inventory(path)


def test_lines_in_collections_are_refused_or_left_out_and_counted(tmp_path: Path):
    line = shapely.LineString([(0, 0), (1, 1)])
    lines = shapely.GeometryCollection([line, shapely.MultiLineString([line])])
    path = write_inventory(tmp_path / "a.gpkg", [BOX, lines])
    with pytest.raises(InputError, match=r"1 of 2 features are lines \(feature 2\)"):
        read_inventory(path)
    some = shapely.GeometryCollection([line, BOX])
    found = read_inventory(write_inventory(tmp_path / "b.gpkg", [BOX, some]))
    assert shapely.area(found.geometries) == pytest.approx([20000, 20000])
    (note,) = found.notes
    assert "1 of 2 features hold lines" in note and "(feature 2)" in note


def test_a_file_that_is_not_there_is_refused(tmp_path: Path):
    with pytest.raises(InputError, match=r"slides\.gpkg is not there"):
        read_inventory(tmp_path / "slides.gpkg")
    with pytest.raises(InputError, match="it is a folder"):
        read_inventory(tmp_path)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"ID,label\n1,0\n",
        b"\x89PNG\r\n",
        # of GDAL's forms one that names other files, on the net too
        b'<OGRVRTDataSource><OGRVRTLayer name="a"><SrcDataSource>/vsicurl/http://a.example/a.gpkg'
        b"</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>",
    ],
)
def test_a_file_that_is_no_vector_file_is_refused(tmp_path: Path, content: bytes):
    (tmp_path / "slides.gpkg").write_bytes(content)
    with pytest.raises(InputError, match=r"slides\.gpkg is no vector file.*expected a GeoPackage"):
        read_inventory(tmp_path / "slides.gpkg")


def test_a_table_without_geometries_is_refused(tmp_path: Path):
    pyogrio.write_dataframe(pd.DataFrame({"label": [1, 0]}), tmp_path / "slides.gpkg")
    with pytest.raises(InputError, match="table without geometries"):
        read_inventory(tmp_path / "slides.gpkg")


def test_several_layers_and_an_unknown_column_are_refused_with_the_nearest(tmp_path: Path):
    path = write_inventory(tmp_path / "a.gpkg", [BOX], layer="slides", event_date=["2018-01-02"])
    with pytest.raises(InputError, match=r"no column 'event_day'.*did you mean 'event_date'"):
        read_inventory(path, date_column="event_day")
    found = read_inventory(path, date_column="event_date")
    assert found.dates.tolist() == [np.datetime64("2018-01-02").item()]
    write_inventory(path, [BOX, None], layer="roads")
    with pytest.raises(InputError, match=r"2 layers \(slides, roads\); .*label\.layer"):
        read_inventory(path)
    with pytest.raises(InputError, match=r"no layer 'slide' .*did you mean 'slides'"):
        read_inventory(path, layer="slide")
    assert not read_inventory(path, layer="slides").notes
    assert read_inventory(path, layer="roads").notes


def test_an_inventory_of_another_place_is_refused_and_both_places_are_said(tmp_path: Path):
    found = read_inventory(write_inventory(tmp_path / "a.gpkg", [BOX]))
    west = ((400000.0, 5000000.0, 410000.0, 5010000.0), UTM)
    here = ((499000.0, 4999000.0, 501000.0, 5001000.0), UTM)
    with pytest.raises(InputError, match=r"none of the 1 landslides.*15\.000.*west 13\.\d+ to"):
        refuse_elsewhere(found, {"west": west}, "a.gpkg")
    assert refuse_elsewhere(found, {"west": west, "here": here}, "a") == {"west": 0, "here": 1}
    over = ((99000.0, 4990000.0, 999000.0, 5040000.0), "EPSG:32632")
    assert refuse_elsewhere(found, {"over": over}, "a") == {"over": 1}


@pytest.mark.parametrize("east", [179.99, -180.01, -179.99, 180.01, 181.0])
def test_landslides_about_the_180th_meridian_are_found_however_they_are_counted(
    tmp_path: Path, east: float
):
    """A scene of Fiji in the system of UTM zone 60, from 179.0 to 181.5 degrees."""
    slide = shapely.box(east, -17.01, east + 1e-3, -17)
    path = write_inventory(tmp_path / "a.gpkg", [slide, shapely.Point(0, 51)], crs="EPSG:4326")
    scene = ((712_000.0, 8_080_000.0, 979_000.0, 8_160_000.0), "EPSG:32760")
    assert refuse_elsewhere(read_inventory(path), {"fiji": scene}, "a.gpkg") == {"fiji": 1}
