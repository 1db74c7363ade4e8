"""Windows of a scene: units, nodata, medians, masks, grids."""

import dataclasses
import math
import struct
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio
import pytest
import rasterio
import shapely
import yaml
from affine import Affine
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scene.simulated_scene import COLUMNS, ROWS, interpret

from landslip.io.files import InputError
from landslip.scene.decibels import median_of_looks, to_decibels
from landslip.scene.layers import CHANNELS
from landslip.scene.named import named_files
from landslip.scene.rasters import Grid, gdal_env, open_raster
from landslip.scene.reader import Flag, Pixels, open_scene
from landslip.scene.virtual import with_sources


def read(folder: Path, at: tuple[int, int, int, int], **changes: Any) -> Pixels:
    with open_scene(interpret(folder, **changes).reading) as reader:
        assert reader.channels == list(CHANNELS)
        return reader.read(*at)


def raw(folder: Path, pattern: str) -> Any:
    with rasterio.open(next(folder.rglob(pattern))) as file:
        return file.read()


@given(
    arrays(
        np.float32,
        st.tuples(st.integers(1, 6), st.just(2), st.just(3)),
        elements=st.floats(-50, 10, width=32) | st.just(np.float32(np.nan)),
    )
)
def test_the_median_of_looks_is_numpys(looks: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        expected = np.nanmedian(looks, axis=0)
    assert np.allclose(median_of_looks(looks), expected, equal_nan=True, atol=1e-5)


def test_decibels_of_zero_power_are_no_data() -> None:
    values = np.array([0.1, 0.0, -1.0, np.nan], np.float32)
    assert np.allclose(to_decibels(values, "power"), [-10, np.nan, np.nan, np.nan], equal_nan=True)
    assert np.allclose(to_decibels(values, "amplitude")[0], -20)


def test_values_that_are_no_backscatter_are_no_data_though_nobody_declared_them() -> None:
    values = np.array([-12, -9999, -32768, 0, np.inf, 1e38, np.nan, -69], np.float32)
    expected = np.array([-12, *[np.nan] * 2, 0, *[np.nan] * 3, -69])
    assert np.array_equal(to_decibels(values, "db"), expected, equal_nan=True)
    # Of two looks one of which has none, the other alone speaks.
    looks = np.array([[[-9999]], [[-14]]], np.float32)
    assert median_of_looks(to_decibels(looks, "db")) == -14


def test_optics_keep_whole_numbers_in_the_bundles_convention(made_scene: Path) -> None:
    pixels = read(made_scene, (0, 0, ROWS, COLUMNS))
    stored = raw(made_scene, "*20240619*_B04_10m.jp2")[0]
    seen = np.isfinite(pixels.channels[0])
    # These products carry the offset that the bundle's channels carry.
    assert np.array_equal(pixels.channels[0][seen], stored[seen].astype(np.float32))
    assert np.isnan(pixels.channels[0][stored == 0]).all()


def test_a_change_is_the_difference_of_the_medians_in_decibels(made_scene: Path) -> None:
    pixels = read(made_scene, (40, 50, 64, 64))
    looks = [
        10 * np.log10(raw(made_scene / "radar", f"*{day}*ascending.tif")[1, 40:104, 50:114])
        for day in ("20240508", "20240520", "20240601", "20240616")
    ]
    change = looks[3] - np.median(looks[:3], axis=0)
    found = pixels.channels[CHANNELS.index("asc_diff_vh")]
    assert np.allclose(found, change, atol=1e-3)
    assert np.allclose(pixels.channels[CHANNELS.index("asc_vh")], looks[3], atol=1e-3)


def test_clouds_and_their_shadows_leave_the_radar_alone(made_scene: Path) -> None:
    pixels = read(made_scene, (0, 0, ROWS, COLUMNS))
    classes = np.kron(raw(made_scene, "*20240619*_SCL_20m.jp2")[0], np.ones((2, 2)))[
        :ROWS, :COLUMNS
    ]
    for wanted, flag, hides in (
        (9, Flag.CLOUD, True),
        (8, Flag.CLOUD, False),
        (3, Flag.SHADOW, True),
    ):
        there = classes == wanted
        assert there.any()
        assert (pixels.flags[there] & flag).all()
        assert np.isnan(pixels.channels[:4][:, there]).all() == hides
    radar = np.isfinite(pixels.channels[4])
    assert radar[classes == 9].mean() > 0.9


def test_outside_of_the_scene_there_is_no_data(made_scene: Path) -> None:
    pixels = read(made_scene, (-10, -20, 30, 40))
    assert np.isnan(pixels.channels[:, :10]).all() and np.isnan(pixels.channels[:, :, :20]).all()
    assert (pixels.flags[:10] & Flag.NODATA).all()
    inside = read(made_scene, (0, 0, 20, 20))
    assert np.array_equal(pixels.channels[:, 10:, 20:], inside.channels, equal_nan=True)


def test_windows_are_parts_of_the_whole(made_scene: Path) -> None:
    whole = read(made_scene, (0, 0, ROWS, COLUMNS)).channels
    part = read(made_scene, (100, 130, 77, 50)).channels
    assert np.array_equal(part, whole[:, 100:177, 130:180], equal_nan=True)


def test_layover_is_no_data_in_its_orbit_alone(scene_copy: Path) -> None:
    name = "S1A_IW_20240616T051630_descending"
    source = scene_copy / "radar" / f"{name}.tif"
    mask = scene_copy / "radar" / f"{name}_mask.tif"
    with rasterio.open(source) as file:
        profile = {**file.profile, "count": 1, "dtype": "uint8", "nodata": None}
    values = np.ones((ROWS, COLUMNS), np.uint8)
    values[50:60, 50:70] = 5
    with rasterio.open(mask, "w", **profile) as file:
        file.write(values, 1)
    said = yaml.safe_load((scene_copy / "scene.yaml").read_text())
    said["radar"]["descending"]["after"][0]["layover"] = f"radar/{name}_mask.tif"
    pixels = read(scene_copy, (50, 50, 10, 20), radar=said["radar"])
    assert np.isnan(pixels.channels[4:8]).all()
    assert np.isfinite(pixels.channels[8:]).all()
    assert (pixels.flags & Flag.LAYOVER).all()


def _move(path: Path, pixels: float) -> None:
    with rasterio.open(path, "r+") as file:
        file.transform = file.transform @ Affine.translation(pixels, 0)


def test_a_grid_moved_by_whole_pixels_is_the_same_grid(scene_copy: Path) -> None:
    before = read(scene_copy, (20, 20, 64, 64)).channels
    for path in (scene_copy / "radar").glob("*descending.tif"):
        _move(path, 3)
    after = read(scene_copy, (20, 23, 64, 61)).channels
    assert np.array_equal(after[4:8], before[4:8, :, :61], equal_nan=True)


def test_another_grid_is_refused_unless_align_is_given(scene_copy: Path) -> None:
    path = next((scene_copy / "radar").glob("*descending.tif"))
    _move(path, 0.5)
    with pytest.raises(InputError, match=f"{path.name}.*another grid.*align"):
        interpret(scene_copy)
    pixels = read(scene_copy, (0, 0, ROWS, COLUMNS), align={"method": "bilinear"})
    # The swath's edge has no data: half a pixel beside it no value may be mixed with 0.
    assert np.nanmin(pixels.channels[4]) > -60


def test_nothing_outside_of_the_area_is_seen(scene_copy: Path) -> None:
    found = interpret(scene_copy, area="outlines.gpkg")
    grid = found.reading.grid
    assert grid.width < COLUMNS or grid.height < ROWS
    with open_scene(found.reading) as reader:
        pixels = reader.read(0, 0, grid.height, grid.width)
    assert 0 < np.isfinite(pixels.channels[8]).mean() < 0.5


@pytest.mark.parametrize("damage", ["missing", "truncated", "no raster", "no grid", "turned"])
def test_a_bad_file_is_named(scene_copy: Path, damage: str) -> None:
    path = next((scene_copy / "radar").glob("*ascending.tif"))
    if damage == "missing":
        path.unlink()
    elif damage == "truncated":
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    elif damage == "no raster":
        path.write_text("nothing of the kind")
    elif damage == "turned":
        with rasterio.open(path, "r+") as file:
            file.transform = file.transform @ Affine.rotation(10)
    else:
        with rasterio.open(path) as file:
            profile, values = {**file.profile, "crs": None}, file.read()
        with rasterio.open(path, "w", **profile) as file:
            file.write(values)
    words = {"missing": "not there", "turned": "turned", "no grid": "no coordinate system"}
    with pytest.raises(InputError, match=path.name) as error:
        interpret(scene_copy)
    assert words.get(damage, "fetch it again") in str(error.value).lower()


def test_a_ground_range_image_is_refused_with_advice(tmp_path: Path) -> None:
    points = [rasterio.control.GroundControlPoint(0, 0, 10.0, 45.0)] * 4
    path = tmp_path / "iw-vv.tiff"
    with rasterio.open(
        path, "w", driver="GTiff", width=8, height=8, count=1, dtype="uint16"
    ) as file:
        file.gcps = (points, rasterio.CRS.from_epsg(4326))
        file.write(np.ones((8, 8), np.uint16), 1)
    with pytest.raises(InputError, match="correct its terrain"):
        open_raster(str(path))


def test_an_area_elsewhere_is_refused(scene_copy: Path) -> None:
    meta, _, shapes, fields = pyogrio.raw.read(scene_copy / "outlines.gpkg")
    far = shapely.to_wkb(shapely.transform(shapely.from_wkb(shapes), lambda xy: xy + 1e5))
    pyogrio.raw.write(
        scene_copy / "far.gpkg", far, fields, meta["fields"], geometry_type="Unknown",
        crs=meta["crs"],
    )  # fmt: skip
    with pytest.raises(InputError, match="outside of the scene"):
        interpret(scene_copy, area="far.gpkg")


BAND = "<VRTRasterBand dataType='Float32' band='1'{kind}>{source}</VRTRasterBand>"
SOURCE = "<SimpleSource><SourceFilename>{name}</SourceFilename></SimpleSource>"
ELSEWHERE = "<Metadata domain='{domain}'><MDI key='OVERVIEW_FILE'>{name}</MDI></Metadata>"


def virtual(name: str, kind: str = "") -> str:
    """A VRT of one source."""
    return within(BAND.format(source=SOURCE.format(name=name), kind=kind))


def within(band: str) -> str:
    """A VRT of one band."""
    grid = "<SRS>EPSG:32633</SRS><GeoTransform>0, 10, 0, 0, 0, -10</GeoTransform>"
    return f"<VRTDataset rasterXSize='8' rasterYSize='8'>{grid}{band}</VRTDataset>"


def write_grid(path: Path) -> Path:
    """A raster of eight pixels a side."""
    profile = {"driver": "GTiff", "width": 8, "height": 8, "count": 1, "dtype": "float32"}
    grid = {"crs": "EPSG:32633", "transform": Affine(10, 0, 0, 0, -10, 0)}
    path.parent.mkdir(parents=True, exist_ok=True)
    with rasterio.open(path, "w", **profile, **grid) as file:
        file.write(np.full((1, 8, 8), 7, np.float32))
    return path


def refused(path: Path, words: str) -> None:
    """A raster is refused before a pixel is asked of it."""
    with pytest.raises(InputError, match=words), gdal_env(), open_raster(str(path)) as raster:
        raster.read(1, out_shape=(2, 2))


def test_no_raster_is_fetched_from_the_net_or_runs_code(nobody_called: str, tmp_path: Path) -> None:
    address = f"{nobody_called}/x.tif"
    path = tmp_path / "x.tif"
    wms = f"<GDAL_WMS><Service name='TMS'><ServerUrl>{address}</ServerUrl></Service></GDAL_WMS>"
    # GDAL takes names of elements and attributes in any capitals.
    small = "<sourcefilename>/vsicurl/{name}</sourcefilename>"
    small = BAND.format(kind="", source=f"<SimpleSource>{small}</SimpleSource>")
    raw = BAND.format(kind=" SUBCLASS='VRTRawRasterBand'", source="<{0}>/etc/passwd</{0}>")
    whole = virtual(str(write_grid(tmp_path / "part.tif")))
    beside = "relativeToVRT='1'>"
    # A folder whose name makes one of files out of an address; GDAL takes it for the address.
    write_grid(tmp_path / "http:" / address.removeprefix("http://"))
    texts = {
        virtual(f"/vsicurl/{address}"): "is no file",
        virtual(address): "is no file",
        virtual(wms.replace("<", "&lt;")): "is no file",
        virtual(address).replace("Filename>", f"Filename {beside}", 1): "is no file",
        virtual("/etc/passwd", " subClass='VRTRawRasterBand'"): "no plain mosaic",
        virtual("/etc/passwd", " subClass='VRTDerivedRasterBand'"): "no plain mosaic",
        within(raw.format("sourcefilename")): "no plain mosaic",
        within(raw.format("SourceFilename")): "no plain mosaic",
        within(small.format(name=address)): "no plain mosaic",
        f"<!DOCTYPE x [<!ENTITY e 'x'>]>{whole}": "defines entities",
        whole.replace("<SRS>", ELSEWHERE.format(domain="overviews", name=address) + "<SRS>"):
            "overviews lie in another file",
        virtual("/etc/passwd"): "cannot be read as a raster",
        "<VRTDataset": "no whole VRT",
        wms: "cannot be read as a raster",
    }  # fmt: skip
    for text, words in texts.items():
        path.write_text(text)
        refused(path, words)
    for name in (address, f"/vsicurl/{address}"):
        with pytest.raises(InputError, match="is not there"):
            open_raster(name)


@pytest.mark.parametrize("prefix", ["", "/vsicurl/"])
def test_no_overviews_are_fetched_from_where_a_rasters_metadata_say(
    prefix: str, nobody_called: str, tmp_path: Path
) -> None:
    path = write_grid(tmp_path / "x.tif")
    with rasterio.open(path, "r+") as file:
        file.update_tags(ns="OVERVIEWS", OVERVIEW_FILE=f"{prefix}{nobody_called}/x.ovr")
    refused(path, "overviews lie in another file")
    (tmp_path / "x.vrt").write_text(virtual(str(path)))
    refused(tmp_path / "x.vrt", "x.tif says that its overviews lie in another file")


@pytest.mark.parametrize("top", [math.nan, math.inf])
def test_a_raster_that_lies_nowhere_is_refused(top: float, tmp_path: Path) -> None:
    path = write_grid(tmp_path / "x.tif")
    with rasterio.open(path, "r+") as file:
        file.transform = Affine(10, 0, 0, 0, -10, 1234.5)
    path.write_bytes(path.read_bytes().replace(struct.pack("<d", 1234.5), struct.pack("<d", top)))
    refused(path, "has no place on the ground")


def test_pixels_of_almost_no_size_are_another_grid() -> None:
    grid = Grid(
        crs="EPSG:32633", left=0.0, top=100.0, across=10.0, down=10.0, width=8, height=8
    )  # fmt: skip
    assert grid.offset_of(dataclasses.replace(grid, top=80.0)) == (2, 0)
    tiny = dataclasses.replace(grid, down=5e-324)
    assert tiny.offset_of(dataclasses.replace(grid, top=80.0)) is None


def test_a_raster_whose_texts_are_no_utf8_is_refused(tmp_path: Path) -> None:
    path = write_grid(tmp_path / "x.tif")
    with rasterio.open(path, "r+") as file:
        file.update_tags(ns="PLACES", A="b")
    path.write_bytes(path.read_bytes().replace(b"PLACES", b"\xffLACES"))
    refused(path, "cannot be read as a raster")


def test_no_file_beside_a_raster_has_anything_fetched(nobody_called: str, tmp_path: Path) -> None:
    path = write_grid(tmp_path / "x.tif")
    for suffix in (".ovr", ".msk"):
        (tmp_path / f"x.tif{suffix}").write_text(virtual(f"/vsicurl/{nobody_called}/{suffix}.tif"))
    metadata = ELSEWHERE.format(domain="OVERVIEWS", name=f"/vsicurl/{nobody_called}/x.ovr")
    (tmp_path / "x.tif.aux.xml").write_text(f"<PAMDataset>{metadata}</PAMDataset>")
    with gdal_env(), open_raster(str(path)) as raster:
        assert (raster.read(1, out_shape=(2, 2)) == 7).all()
        assert (raster.read_masks(1) == 255).all()


def test_a_mosaic_of_files_is_read(tmp_path: Path) -> None:
    write_grid(tmp_path / "part.tif")
    text = virtual("part.tif").replace("<SourceFilename>", "<SourceFilename relativeToVRT='1'>")
    (tmp_path / "x.vrt").write_text(text)
    with open_raster(str(tmp_path / "x.vrt")) as raster:
        assert (raster.read(1) == 7).all()
    # What it is a mosaic of belongs to the scene: who depends on it sees when that changes.
    looks = [{"vv": "x.vrt", "vh": "part.tif"}]
    radar = {"descending": {"before": looks, "after": looks}}
    said = {"name": "x", "event": "2024-01-01", "radar": radar}
    (tmp_path / "scene.yaml").write_text(yaml.safe_dump(said))
    named = [Path(name).name for name in named_files(tmp_path / "scene.yaml")]
    assert named == ["scene.yaml", "x.vrt", "part.tif"]
    (tmp_path / "x.vrt").write_text(text.replace("part.tif", "lost.tif"))
    assert with_sources(tmp_path / "x.vrt") == [tmp_path / "x.vrt"]
