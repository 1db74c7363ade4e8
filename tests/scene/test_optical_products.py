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
from landslip.scene.layers import Layers
from landslip.scene.rasters import read_grid
from landslip.scene.reader import Reading, open_scene
from landslip.scene.safe import product_files, read_metadata, read_safe

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


def test_files_of_a_folder_are_looked_for_in_products_alone(tmp_path: Path) -> None:
    """Somebody may name a home folder, or a disk, in place of a product."""
    product = tmp_path / "event" / "S2B_MSIL2A_20240619T100029.SAFE"
    band = product / "GRANULE" / "L2A" / "B04.jp2"
    band.parent.mkdir(parents=True)
    band.touch()
    assert product_files(product) == []
    metadata = product / "MTD_MSIL2A.xml"
    metadata.touch()
    assert product_files(product) == [band, metadata]
    assert product_files(product.parent) == [band, metadata]
    assert product_files(tmp_path) == []


def test_a_level_1c_product_is_refused_with_what_to_take(made_scene: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(_safe(made_scene), tmp_path / "S2A_MSIL1C_20240619.SAFE"))
    (folder / "MTD_MSIL2A.xml").rename(folder / "MTD_MSIL1C.xml")
    archive = shutil.make_archive(str(tmp_path / "S2A_MSIL1C"), "zip", tmp_path, folder.name)
    for path in (folder, Path(archive)):
        with pytest.raises(InputError, match=f"{path.name} is a Level-1C product; take Level-2A"):
            read_safe(path)


def test_no_entity_of_metadata_is_followed_or_expanded_without_end(
    nobody_called: str, tmp_path: Path
) -> None:
    (tmp_path / "secret").write_text("10000")
    grown = "".join(
        f"<!ENTITY {name} '{f'&{before};' * 10}'>"
        for before, name in zip("abcdefghi", "bcdefghij", strict=True)
    )
    told = "<a><BOA_QUANTIFICATION_VALUE>{}</BOA_QUANTIFICATION_VALUE></a>"
    for declared, value in (
        ("<!ENTITY a '10000'>", "&a;"),  # nothing is wrong with this one
        (f"<!ENTITY a SYSTEM '{(tmp_path / 'secret').as_uri()}'>", "&a;"),
        (f"<!ENTITY a SYSTEM '{nobody_called}/a'>", "&a;"),
        (f"<!ENTITY a PUBLIC 'x' '{nobody_called}/a'>", "&a;"),
        (f"<!ENTITY % a SYSTEM '{nobody_called}/a'> %a;", "&a;"),
        (f"<!ENTITY a '0000000000'>{grown}", "1&j;"),
    ):
        text = f"<!DOCTYPE x [{declared}]>{told.format(value)}".encode()
        if value == "&a;" and "'10000'" in declared:
            assert read_metadata(text, "MTD_MSIL2A.xml")["quantification"] == 10000
        else:
            with pytest.raises(InputError, match=r"MTD_MSIL2A\.xml"):
                read_metadata(text, "MTD_MSIL2A.xml")


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
