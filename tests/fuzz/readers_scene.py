"""Readers of scenes: rasters, products, catalogues, scene files, vectors; and of finished maps."""

import json
import shutil
import zipfile
from collections.abc import Sequence
from pathlib import Path

import geopandas
import numpy as np
import rasterio
import shapely
import yaml
from fuzz.harness import Reader
from fuzz.made import made_map, made_scene
from inventory.inventories import DRIVERS, write_inventory

from landslip.assess.filled import read_labels
from landslip.assess.population import read_map
from landslip.assess.sample import SampleSettings, draw_sample
from landslip.assess.verdicts import read_verdicts
from landslip.inventory.read import read_inventory
from landslip.io.files import InputError, read_parquet
from landslip.scene.catalogue import read_item
from landslip.scene.interpreter import read_polygons
from landslip.scene.layers import OPTICAL, Layer, Layers, OpticalLayers
from landslip.scene.named import named_files
from landslip.scene.rasters import read_grid
from landslip.scene.reader import Reading, open_scene
from landslip.scene.safe import read_safe
from landslip.scene.sample import sample_squares
from landslip.scene.settings import read_scene

_CRS = "EPSG:32633"


def _raster(path: Path, **profile: object) -> None:
    given = {
        "width": 40, "height": 30, "count": 1, "dtype": "uint16", "crs": _CRS, "driver": "GTiff",
        "transform": rasterio.Affine(10, 0, 4e5, 0, -10, 5.2e6), "nodata": 0, **profile,
    }  # fmt: skip
    values = np.random.default_rng(0).integers(1, 3000, (30, 40)).astype(given["dtype"])
    with rasterio.open(path, "w", **given) as target:
        target.write(values, 1)
        target.update_tags(ns="x", note="here")
        target.scales, target.offsets = (0.0001,), (-0.1,)


def _make_rasters(folder: Path) -> Sequence[Path]:
    _raster(folder / "plain.tif")
    _raster(folder / "packed.tif", compress="deflate", tiled=True, blockxsize=16, blockysize=16)
    _raster(folder / "lzw.tif", compress="lzw", predictor=2, dtype="int16")
    _raster(folder / "float.tif", compress="zstd", dtype="float32", nodata=float("nan"))
    return sorted(folder.glob("*.tif"))


def _make_images(folder: Path) -> Sequence[Path]:
    """As Sentinel-2 has them."""
    source = next(made_scene().rglob("*_B04_10m.jp2"))
    shutil.copy(source, folder / "B04.jp2")
    return [folder / "B04.jp2"]


def _read_raster(path: Path) -> None:
    """Squares of it, as a scene is looked at before it is mapped."""
    grid = read_grid(str(path))
    bands = {name: Layer(file=str(path), unit="reflectance_1e4") for name in OPTICAL}
    layers = Layers(name="x", event="2024-01-01", optical=OpticalLayers(bands=bands))
    squares = sample_squares(grid)
    with open_scene(Reading(layers=layers, grid=grid)) as reader:
        for row, column, height, width in squares[:3]:
            pixels = reader.read(row, column, height, width)
            assert pixels.channels.shape == (4, height, width)


def _make_scene_files(folder: Path) -> Sequence[Path]:
    shutil.copy(made_scene() / "scene.yaml", folder / "scene.yaml")
    said = {
        "name": "Hill", "event": "2024-06-17",
        "optical": {"bands": {name: {"file": f"{name}.tif", "band": 1} for name in OPTICAL},
                    "scale": 0.0001, "offset": -0.1, "nodata": 0},
        "radar": {"descending": {side: [{"file": "a_VV.tif", "date": "2024-06-01", "unit": "db"}]
                                 for side in ("before", "after")}},
        "trust": {"season": "known"},
    }  # fmt: skip
    (folder / "bands.yaml").write_text(yaml.safe_dump(said))
    return sorted(folder.glob("*.yaml"))


def _read_scene_file(path: Path) -> None:
    read_scene(path)
    named_files(path)


def _make_safe(folder: Path) -> Sequence[Path]:
    source = next(made_scene().glob("S2B*.SAFE"))
    shutil.copytree(source, folder / source.name)
    return [folder / source.name / "MTD_MSIL2A.xml"]


def _make_packed_safe(folder: Path) -> Sequence[Path]:
    source = next(made_scene().glob("S2B*.SAFE"))
    with zipfile.ZipFile(folder / "MSIL2A.zip", "w", zipfile.ZIP_DEFLATED) as packed:
        for path in sorted(source.rglob("*")):
            if path.is_file():
                # Pixels are not looked at here.
                data = path.read_bytes() if path.suffix == ".xml" else b"pixels"
                packed.writestr(str(path.relative_to(source.parent)), data)
    return [folder / "MSIL2A.zip"]


def _make_items(folder: Path) -> Sequence[Path]:
    assets = {name: {"href": f"./{name}.tif", "raster:bands": [{"scale": 0.0001, "offset": -0.1}]}
              for name in (*OPTICAL, "scl")}  # fmt: skip
    for name in assets:
        (folder / f"{name}.tif").write_bytes(b"")
    base = {"type": "Feature", "id": "x", "assets": assets}
    told = {"s2:processing_baseline": "05.10", "datetime": "2024-06-19T10:00:29Z"}
    (folder / "told.json").write_text(json.dumps({**base, "properties": told}))
    (folder / "bare.json").write_text(json.dumps({**base, "properties": {}}))
    return sorted(folder.glob("*.json"))


def _make_vectors(folder: Path) -> Sequence[Path]:
    shutil.copy(made_scene() / "units.gpkg", folder / "units.gpkg")
    table = geopandas.read_file(folder / "units.gpkg")
    table.to_file(folder / "units.geojson", driver="GeoJSON")
    table.to_file(folder / "units.fgb", driver="FlatGeobuf")
    return [folder / f"units.{suffix}" for suffix in ("gpkg", "geojson", "fgb")]


def _read_vectors(path: Path) -> None:
    polygons, columns = read_polygons(path, _CRS)
    assert all(len(values) == len(polygons) for values in columns.values())


def _make_inventories(folder: Path) -> Sequence[Path]:
    shapes = [shapely.box(4e5 + 100 * n, 5.2e6, 4e5 + 100 * n + 60, 5.2e6 + 50) for n in range(5)]
    crossing = [(0, 0), (9, 9), (0, 9), (9, 0)]
    shapes[3] = shapely.Polygon([(4e5 + x, 5.2e6 + y) for x, y in crossing])
    days = np.array(["2024-06-17", "2024-06-18", "2024-01-31", "", "2023-12-01"], object)
    names = [f"slides{suffix}" for suffix in DRIVERS]
    for name in names:
        write_inventory(folder / name, shapes, day=days)
    return [*(folder / name for name in names), folder / "slides.dbf", folder / "slides.shx"]


def _read_inventory(path: Path) -> None:
    # The parts of a shapefile are one inventory, by the name of its first.
    main = path.with_suffix(".shp") if path.suffix in (".dbf", ".shx") else path
    try:
        found = read_inventory(main, date_column="day")
    except InputError as error:
        if main.name not in str(error):
            raise
        raise InputError(f"{path.name}: {error}") from error
    assert len(found.dates) == len(found.geometries)


def _draw(folder: Path) -> None:
    settings = SampleSettings(
        cells={"zone": 3, "near": 3, "far": 3}, near=0.1, by_unit=False, confidence=0.9, seed=1
    )
    draw_sample(
        made_map(), settings, sample=folder / "sample.gpkg", drawn=folder / "drawn.parquet",
        design=folder / "design.json",
    )  # fmt: skip


def _make_samples(folder: Path) -> Sequence[Path]:
    _draw(folder)
    table = geopandas.read_file(folder / "sample.gpkg").assign(label="yes")
    table.to_file(folder / "filled.gpkg", layer="sample")
    table.drop(columns="geometry").to_csv(folder / "filled.csv", index=False)
    return [folder / "filled.gpkg", folder / "filled.csv"]


def _read_sample(path: Path) -> None:
    drawn = read_parquet(path.with_name("drawn.parquet"))
    assert len(read_labels(path, drawn)) == len(drawn)


def _make_reviews(folder: Path) -> Sequence[Path]:
    zones = geopandas.read_file(made_map() / "zones.gpkg", layer="zones")
    zones.assign(verdict="yes").to_file(folder / "reviewed.gpkg", layer="zones")
    return [folder / "reviewed.gpkg"]


def _make_maps(folder: Path) -> Sequence[Path]:
    for name in ("probability.tif", "zones.gpkg"):
        shutil.copy(made_map() / name, folder / name)
    return [folder / "probability.tif", folder / "zones.gpkg"]


def _read_map(path: Path) -> None:
    found = read_map(path.parent)
    known = found.probability[~np.isnan(found.probability)]
    assert ((known >= 0) & (known <= 255 / 250)).all()


READERS = {
    "geotiff": Reader(make=_make_rasters, read=_read_raster, form="tiff"),
    "jp2": Reader(make=_make_images, read=_read_raster),
    "scene": Reader(make=_make_scene_files, read=_read_scene_file),
    "safe": Reader(make=_make_safe, read=lambda path: read_safe(path.parent), form="text"),
    "safe-zip": Reader(make=_make_packed_safe, read=read_safe),
    "stac": Reader(make=_make_items, read=read_item),
    "vector": Reader(make=_make_vectors, read=_read_vectors),
    "inventory": Reader(make=_make_inventories, read=_read_inventory),
    "sample": Reader(make=_make_samples, read=_read_sample),
    "review": Reader(make=_make_reviews, read=read_verdicts),
    "map": Reader(make=_make_maps, read=_read_map),
}
