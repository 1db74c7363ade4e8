"""SAFE folders, zips and STAC items become layers with the offset that their metadata say."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from scene.simulated_scene import SHARED

from landslip.io.files import InputError
from landslip.scene.catalogue import read_item
from landslip.scene.layers import Layer, Layers, OpticalLayers
from landslip.scene.rasters import read_grid
from landslip.scene.reader import Reading, open_scene
from landslip.scene.safe import read_metadata, read_safe

PLANETARY = "S2B_MSIL2A_20190629T212529_R043_T06VVN_20201006T080531.json"
real = pytest.mark.skipif(not SHARED.is_dir(), reason="the shared real material is not here")


def _safe(folder: Path) -> Path:
    return next(folder.glob("*_20240619*.SAFE"))


def test_a_zip_reads_as_its_folder(made_scene: Path, tmp_path: Path) -> None:
    folder = _safe(made_scene)
    archive = shutil.make_archive(
        str(tmp_path / "product"), "zip", root_dir=made_scene, base_dir=folder.name
    )
    images = []
    for path in (folder, Path(archive)):
        optical = read_safe(path)
        assert optical.baseline == "05.10"
        assert optical.date == "2024-06-19"
        assert {layer.add for layer in optical.bands.values()} == {-1000.0}
        layers = Layers(name="x", event="2024-06-14", optical=optical)
        grid = read_grid(optical.bands["red"].file)
        with open_scene(Reading(layers=layers, grid=grid)) as reader:
            images.append(reader.read(0, 0, 100, 120).channels)
    assert np.array_equal(images[0], images[1], equal_nan=True)
    assert np.isfinite(images[0]).any()


def test_a_product_without_its_metadata_or_a_band_is_refused(scene_copy: Path) -> None:
    folder = _safe(scene_copy)
    next(folder.rglob("*_B08_10m.jp2")).unlink()
    with pytest.raises(InputError, match="B08"):
        read_safe(folder)
    (folder / "MTD_MSIL2A.xml").write_text("<broken")
    with pytest.raises(InputError, match="damaged"):
        read_safe(folder)
    (folder / "MTD_MSIL2A.xml").unlink()
    with pytest.raises(InputError, match="holds no MTD_MSIL2A"):
        read_safe(folder)
    with pytest.raises(InputError, match="is not there"):
        read_safe(scene_copy / "nothing.SAFE")


@real
def test_real_metadata_of_five_baselines_say_their_offsets() -> None:
    found = {}
    for path in SHARED.glob("safe_metadata/*/MTD_MSIL2[Aa].xml"):
        told = read_metadata(path.read_bytes(), str(path))
        assert (told["quantification"], told["nodata"]) == (10000, 0)
        found[told["baseline"]] = set(told["offsets"].values())
    assert found == {"02.12": set(), "02.14": set(), "04.00": {-1000}, "05.09": {-1000}}


def _item(folder: Path, **properties: Any) -> Path:
    for name in ("B02", "B03", "B04", "B08"):
        (folder / f"{name}.tif").touch()
    bands = {"raster:bands": [{"scale": 0.0001, "offset": -0.1}]}
    assets = {
        key: {"href": f"https://far.away/{name}.tif", **bands}
        for key, name in {"red": "B04", "green": "B03", "blue": "B02", "nir": "B08"}.items()
    }
    path = folder / "item.json"
    path.write_text(json.dumps({"properties": properties, "assets": assets}))
    return path


@pytest.mark.parametrize(
    ("properties", "add"),
    [
        ({"s2:processing_baseline": "02.14"}, 0),
        ({"s2:processing_baseline": "05.10"}, -1000),
        ({"s2:processing_baseline": "05.10", "earthsearch:boa_offset_applied": True}, 0),
        ({}, -1000),
    ],
)
def test_an_items_offset_is_that_of_its_baseline(
    tmp_path: Path, properties: dict[str, Any], add: float
) -> None:
    optical = read_item(_item(tmp_path, **properties))
    assert {layer.add for layer in optical.bands.values()} == {add}


def test_an_item_whose_assets_are_far_away_is_refused(tmp_path: Path) -> None:
    path = _item(tmp_path)
    (tmp_path / "B04.tif").unlink()
    with pytest.raises(InputError, match="download it"):
        read_item(path)


@real
@pytest.mark.parametrize("signed", [False, True])
def test_a_real_item_of_planetary_computer_is_read_with_its_downloads_beside_it(
    signed: bool, made_scene: Path, tmp_path: Path
) -> None:
    """Its pixels here are those of a simulated product, as cloud-optimized files have them."""
    item = json.loads((SHARED / "stac" / PLANETARY).read_text())
    product = _safe(made_scene)
    for key in ("B02", "B03", "B04", "B08", "SCL"):
        asset = item["assets"][key]
        with rasterio.open(next(product.rglob(f"*_{key}_?0m.jp2"))) as source:
            profile = {**source.profile, "driver": "COG", "nodata": 0}
            keep = {"driver", "dtype", "nodata", "width", "height", "count", "crs", "transform"}
            where = tmp_path / Path(asset["href"]).name
            with rasterio.open(where, "w", **{k: profile[k] for k in keep}) as target:
                target.write(source.read())
        asset["href"] += "?st=2026-11-26&sig=a%2Fb" if signed else ""
    path = tmp_path / "item.json"
    path.write_text(json.dumps(item))
    optical = read_item(path)
    assert (optical.baseline, optical.date) == ("02.12", "2019-06-29")
    assert {layer.add for layer in optical.bands.values()} == {0.0}
    layers = Layers(name="x", event="2019-06-14", optical=optical)
    grid = read_grid(optical.bands["red"].file)
    with open_scene(Reading(layers=layers, grid=grid)) as reader:
        found = reader.read(0, 0, 100, 120).channels
    with rasterio.open(next(product.rglob("*_B04_10m.jp2"))) as source:
        stored = source.read(1, window=((0, 100), (0, 120)))
    seen = np.isfinite(found[0])
    assert seen.any() and np.array_equal(found[0][seen], stored[seen].astype(np.float32) + 1000)


@real
def test_real_bands_named_jp2_are_read_in_windows_across_their_edges() -> None:
    """Some mirrors keep the name and convert the file: what it holds decides."""
    files = {name: str(SHARED / "jp2" / f"{name}.jp2") for name in ("B02", "B04")}
    bands = {
        name: Layer(file=files[band], unit="reflectance_1e4", add=-1000, nodata=0)
        for name, band in {"red": "B04", "green": "B02", "blue": "B02", "nir": "B04"}.items()
    }
    optical = OpticalLayers(bands=bands)
    layers = Layers(name="x", event="2024-06-14", optical=optical)
    grid = read_grid(files["B04"])
    with open_scene(Reading(layers=layers, grid=grid)) as reader:
        found = reader.read(-8, 90, 64, 64).channels
    with rasterio.open(files["B04"]) as source:
        stored = source.read(1).astype(np.float32)
    assert np.isnan(found[:, :8]).all() and np.isnan(found[:, :, stored.shape[1] - 90 :]).all()
    part = stored[:56, 90:]
    seen = np.isfinite(found[0, 8:, : part.shape[1]])
    assert seen.any() and np.array_equal(found[0, 8:, : part.shape[1]][seen], part[seen])


@real
def test_a_real_earth_search_item_finds_its_files() -> None:
    optical = read_item(next(SHARED.glob("earth_search/*.json")))
    assert optical.told_by == "baseline 02.14"
    assert optical.scl is not None
    assert all(Path(layer.file).is_file() for layer in optical.bands.values())
