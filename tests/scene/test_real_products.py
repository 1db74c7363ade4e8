"""Real products, where they are at hand, and everywhere files that were made like them."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
import yaml
from affine import Affine
from rasterio.control import GroundControlPoint
from scene.simulated_scene import CONVENTIONS, SHARED

from landslip.scene.catalogue import read_item
from landslip.scene.describe import describe_folder, look_through
from landslip.scene.interpreter import interpret_scene
from landslip.scene.layers import Layer, Layers, OpticalLayers
from landslip.scene.rasters import open_raster, read_grid
from landslip.scene.reader import Flag, Reading, open_scene
from landslip.scene.safe import read_metadata

real = pytest.param(
    "real", marks=pytest.mark.skipif(not SHARED.is_dir(), reason="no shared real material here")
)
UTM = {"crs": "EPSG:32629", "transform": Affine(100, 0, 499_980, 0, -100, 3_100_020)}
LOSSLESS = {"driver": "JP2OpenJPEG", "QUALITY": 100, "REVERSIBLE": "YES", "YCBCR420": "NO"}


def write(path: Path, pixels: Any, **profile: Any) -> Path:
    """Write (band, row, column)."""
    count, height, width = pixels.shape
    given = {"driver": "GTiff", "count": count, "height": height, "width": width, **UTM, **profile}
    with rasterio.open(path, "w", dtype=pixels.dtype, **given) as file:
        file.write(pixels)
    return path


def numbers(seed: int, size: int) -> Any:
    """Digital numbers like those of a band, some without data."""
    drawn = np.random.default_rng(seed).integers(1, 4000, (1, size, size)).astype(np.uint16)
    drawn[:, :3] = 0
    return drawn


@pytest.mark.parametrize("kind", ["JPEG 2000", "TIFF", real])
def test_bands_named_jp2_are_read_in_windows_across_their_edges(kind: str, tmp_path: Path) -> None:
    """Some mirrors keep the name and convert the file: what it holds decides."""
    files = {name: SHARED / "jp2" / f"{name}.jp2" for name in ("B02", "B04")}
    if kind != "real":
        how = LOSSLESS if kind == "JPEG 2000" else {}
        files = {
            name: write(tmp_path / f"{name}.jp2", numbers(seed, 122), **how)
            for seed, name in enumerate(files)
        }
        with open_raster(str(files["B04"])) as raster:
            assert raster.driver == ("JP2OpenJPEG" if kind == "JPEG 2000" else "GTiff")
    bands = {
        name: Layer(file=str(files[band]), unit="reflectance_1e4", add=-1000, nodata=0)
        for name, band in {"red": "B04", "green": "B02", "blue": "B02", "nir": "B04"}.items()
    }
    layers = Layers(name="x", event="2024-06-14", optical=OpticalLayers(bands=bands))
    grid = read_grid(str(files["B04"]))
    with open_scene(Reading(layers=layers, grid=grid)) as reader:
        found = reader.read(-8, 90, 64, 64).channels
    stored = {}
    for name, path in files.items():
        with rasterio.open(path) as source:
            stored[name] = source.read(1).astype(np.float32)
    if kind == "JPEG 2000":
        assert np.array_equal(stored["B04"], numbers(1, 122)[0])
    wide = stored["B04"].shape[1] - 90
    assert np.isnan(found[:, :8]).all() and np.isnan(found[:, :, wide:]).all()
    seen = (stored["B04"] != 0) & (stored["B02"] != 0)
    for channel, name in ((0, "B04"), (1, "B02")):
        expected = np.where(seen, stored[name], np.nan)[:56, 90:]
        assert np.isfinite(expected).any()
        assert np.array_equal(found[channel, 8:, :wide], expected, equal_nan=True)


def _made_item(folder: Path) -> Path:
    """As Earth Search has them: bands of 100 m here, classes of 200 m, addresses far away."""
    assets = {}
    for seed, name in enumerate(("B02", "B03", "B04", "B08")):
        write(folder / f"{name}.tif", numbers(seed, 110), nodata=0)
        assets[name] = {"href": f"https://far.away/cogs/{name}.tif"}
    classes = np.random.default_rng(9).integers(0, 12, (1, 55, 55)).astype(np.uint8)
    wide = Affine(200, 0, 499_980, 0, -200, 3_100_020)
    write(folder / "SCL.tif", classes, nodata=0, transform=wide)
    assets["SCL"] = {"href": "https://far.away/cogs/SCL.tif"}
    facts = {"datetime": "2020-02-19T11:29:04Z", "s2:processing_baseline": "02.14"}
    path = folder / "item.json"
    path.write_text(json.dumps({"assets": assets, "properties": facts}))
    return path


@pytest.mark.parametrize("kind", ["made", real])
def test_an_earth_search_item_is_read_with_classes_of_another_grid(
    kind: str, tmp_path: Path
) -> None:
    path = _made_item(tmp_path)
    if kind == "real":
        path = next(SHARED.glob("earth_search/*.json"))
    optical = read_item(path)
    assert optical.date == "2020-02-19" and optical.scl is not None
    grid = read_grid(optical.bands["red"].file)
    layers = Layers(name="x", event="2020-01-14", optical=optical)
    with open_scene(Reading(layers=layers, grid=grid)) as reader:
        pixels = reader.read(0, 0, grid.height, grid.width)
    stored = {}
    for name, layer in optical.bands.items():
        with rasterio.open(layer.file) as source:
            stored[name] = source.read(1).astype(np.float32)
    with rasterio.open(optical.scl.file) as source:
        classes = source.read(1)
        right = (grid.left - source.transform.c) / source.transform.a
        down = (source.transform.f - grid.top) / -source.transform.e
        steps = (np.arange(grid.height) + 0.5) * grid.down / -source.transform.e
        across = (np.arange(grid.width) + 0.5) * grid.across / source.transform.a
    rows = np.clip(np.floor(down + steps), 0, len(classes) - 1).astype(int)
    columns = np.clip(np.floor(right + across), 0, classes.shape[1] - 1).astype(int)
    near = classes[np.ix_(rows, columns)]
    seen = np.all([band != 0 for band in stored.values()], axis=0)
    seen &= ~np.isin(near, [0, 1, 3, 9, 10, 11])
    assert 0 < seen.mean() < 1
    for channel, name in enumerate(("red", "green", "blue", "nir")):
        expected = np.where(seen, stored[name] + 1000, np.nan)
        assert np.array_equal(pixels.channels[channel], expected, equal_nan=True)
    assert np.array_equal((pixels.flags & Flag.WATER) != 0, near == 6)


GRD = "s1a-iw-grd-vv-20240601t053000-20240601t053025-000000-000000-001.tiff"


@pytest.mark.parametrize("kind", ["made", real])
def test_a_ground_range_image_is_described_as_what_no_map_can_be_made_of(
    kind: str, tmp_path: Path
) -> None:
    if kind == "real":
        shutil.copy(SHARED / "grd" / "iw-vv.tiff", tmp_path / GRD)
    else:
        plain = {"driver": "GTiff", "width": 8, "height": 8, "count": 1, "dtype": "uint16"}
        with rasterio.open(tmp_path / GRD, "w", **plain) as file:
            points = [GroundControlPoint(0, 0, 10.0, 45.0)] * 4
            file.gcps = (points, rasterio.CRS.from_epsg(4326))
            file.write(np.ones((1, 8, 8), np.uint16))
    write(tmp_path / "dem.tif", numbers(0, 20))
    (grd, dem) = sorted(look_through(tmp_path).lines, reverse=True)
    assert grd.startswith(f"{GRD}: left out") and "correct its terrain first" in grd
    assert dem == (
        "dem.tif: a raster (20 x 20 pixels, bands: 1); its name does not say what it shows"
    )


METADATA = """<n1:Level-2A_User_Product xmlns:n1="https://psd-14.sentinel2.eo.esa.int/">
<DATATAKE_SENSING_START>2022-04-13T15:07:59.024Z</DATATAKE_SENSING_START>
<PROCESSING_BASELINE>{baseline}</PROCESSING_BASELINE>
<BOA_QUANTIFICATION_VALUE unit="none">10000</BOA_QUANTIFICATION_VALUE>{offsets}
<Special_Values><SPECIAL_VALUE_TEXT>NODATA</SPECIAL_VALUE_TEXT>
<SPECIAL_VALUE_INDEX>0</SPECIAL_VALUE_INDEX></Special_Values></n1:Level-2A_User_Product>"""
NAMES = [
    "S2A_MSIL2A_20150826T185436_N0212_R070_T11SLT_20210412T023147",
    "S2B_MSIL2A_20220413T150759_N0400_R025_T33XWJ_20220414T082126.SAFE",
]


@pytest.fixture
def metadata(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A folder of products of which nothing but the metadata is there."""
    if request.param == "real":
        return SHARED / "safe_metadata"
    offset = '<BOA_ADD_OFFSET band_id="{}">-1000</BOA_ADD_OFFSET>'
    for name, baseline in zip(NAMES, ("02.12", "04.00"), strict=True):
        offsets = "".join(map(offset.format, range(13))) if baseline == "04.00" else ""
        (tmp_path / name).mkdir()
        text = METADATA.format(baseline=baseline, offsets=offsets)
        (tmp_path / name / "MTD_MSIL2A.xml").write_text(text)
    return tmp_path


@pytest.mark.parametrize("metadata", ["made", real], indirect=True)
def test_metadata_say_offset_and_baseline_and_a_product_without_pixels_is_left_out(
    metadata: Path,
) -> None:
    found = {}
    for path in metadata.glob("*/MTD_MSIL2A.xml"):
        told = read_metadata(path.read_bytes(), str(path))
        assert (told["quantification"], told["nodata"]) == (10000, 0)
        found[told["baseline"]] = set(told["offsets"].values())
    assert all(told == (set() if baseline < "04" else {-1000}) for baseline, told in found.items())
    assert {"02.12", "04.00"} <= set(found)
    lines = look_through(metadata).lines
    assert len(lines) == len(list(metadata.iterdir()))
    for name in NAMES:
        (line,) = [each for each in lines if each.startswith(name)]
        assert "left out" in line and "one image of B02 at 10 m" in line and "found 0" in line


@pytest.mark.parametrize("kind", ["made", real])
def test_hyp3_names_are_described_by_orbit_unit_and_radiometry(kind: str, tmp_path: Path) -> None:
    stem = "S1A_IW_20221204T161641_DVR_RTC30_G_gpuned_1AE1"
    for layer in ("VV", "VH"):
        name = f"{stem}_{layer}.tif"
        if kind == "real":
            shutil.copy(SHARED / "hyp3" / name, tmp_path / name)
        else:
            east = {"crs": "EPSG:32605", "transform": Affine(30, 0, 5e5, 0, -30, 2.2e6)}
            write(tmp_path / name, np.ones((1, 8, 8), np.float32), **east)
    describe_folder(tmp_path, tmp_path / "scene.yaml")
    text = (tmp_path / "scene.yaml").read_text()
    assert f"{stem}_VV.tif: radar hyp3, S1A, gamma0, power of 2022-12-04" in text
    assert yaml.safe_load(text)["radar"]["descending"]["after"] == [{"file": f"{stem}_VV.tif"}]


@pytest.mark.parametrize("kind", ["made", real])
def test_decibels_that_nobody_declared_are_told_by_their_values(kind: str, tmp_path: Path) -> None:
    """VV and VH as float64 in one file, without names of bands and without nodata."""
    radar = SHARED / "chips" / "S1RTC" / "282D_485L_3_3.tif"
    if kind == "made":
        means = np.array([-9.0, -15.0])[:, None, None]
        speckle = np.random.default_rng(0).normal(0, 2, (2, 224, 224))
        radar = write(tmp_path / "282D_485L_3_3.tif", means + speckle)
    look = {"file": str(radar), "radiometry": "gamma0", "date": "2024-06-01"}
    sides = {"before": [look], "after": [look]}
    scene = {"name": "x", "event": "2024-06-01", "radar": {"descending": sides}}
    path = tmp_path / "scene.yaml"
    path.write_text(yaml.safe_dump(scene))
    found = {each.check: each for each in interpret_scene(path, CONVENTIONS).verdicts}
    assert found["unit"].judgement == "ok" and "db" in found["unit"].line
    assert found["zeros"].judgement == "ok"
