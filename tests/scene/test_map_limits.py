"""Large scenes in little memory, full disks, and scenes that hardly overlap."""

import os
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import rasterio
import shapely
from scene.plain_bundle import plain_bundle
from scene.simulated_scene import interpret

from landslip.scene.cells import Cells, cut_tiles
from landslip.scene.geopackage import write_geopackage
from landslip.scene.layers import CHANNELS
from landslip.scene.mosaic import write_mosaic
from landslip.scene.reader import open_scene
from landslip.scene.tiles import map_tile, write_tile
from project import ROOT

# Maps one tile of a scene that would take 5 GB as float32, and prints how its memory grew.
_PROGRAM = """
import re, sys
from pathlib import Path
sys.path.insert(0, "tests")
from scene.plain_bundle import plain_bundle
from landslip.scene.cells import Cells, cut_tiles
from landslip.scene.layers import Layer, Layers, Look
from landslip.scene.rasters import read_grid
from landslip.scene.reader import Reading
from landslip.scene.tiles import map_tile
path = sys.argv[1]
def peak():
    # Of this program alone: ru_maxrss also counts what its parent held when it was started.
    return int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
def look(day):
    bands = [Layer(file=path, band=band, unit="power") for band in (1, 2)]
    return Look(vv=bands[0], vh=bands[1], time=day)
sides = {"before": [look("2024-01-01")] * 3, "after": [look("2024-02-01")]}
layers = Layers(name="x", event="2024-01-15", radar={"descending": sides, "ascending": sides})
grid = read_grid(path)
cells = Cells(height=grid.height, width=grid.width, patch=64, stride=64)
tiles = cut_tiles(cells, 1024)
reading = Reading(layers=layers, grid=grid)
map_tile(reading, cells, tiles[0], "centre", plain_bundle)
first = peak()
for tile in (tiles[len(tiles) // 2], tiles[-1]):
    map_tile(reading, cells, tile, "centre", plain_bundle)
last = peak()
print(first * 1024, last * 1024)
"""


def test_memory_is_that_of_a_tile_whatever_the_scene(tmp_path: Path) -> None:
    path, side = tmp_path / "large.tif", 12288
    profile = {
        "driver": "GTiff", "width": side, "height": side, "count": 2, "dtype": "float32",
        "crs": "EPSG:32633", "transform": rasterio.Affine(10, 0, 4e5, 0, -10, 5.2e6),
        "tiled": True, "sparse_ok": True,
    }  # fmt: skip
    with rasterio.open(path, "w", **profile) as file:
        block = np.random.default_rng(0).random((2, 512, 512), np.float32)
        for at in (0, side // 2, side - 512):
            file.write(block, window=rasterio.windows.Window(at, at, 512, 512))
    answer = subprocess.run(
        [sys.executable, "-c", _PROGRAM, str(path)], cwd=ROOT, capture_output=True, text=True,
        check=True, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    first, last = map(int, answer.stdout.split())
    assert last < 2 << 30
    assert last - first < 200 << 20


@contextmanager
def limited(size: int) -> Iterator[None]:
    """No file may grow beyond so many bytes, as on a full disk: to the system, not to a mock."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_leaves_no_part_of_a_tile_map_or_layer(
    made_scene: Path, tmp_path: Path
) -> None:
    reading = interpret(made_scene).reading
    cells = Cells(height=reading.grid.height, width=reading.grid.width, patch=64, stride=64)
    tiles = cut_tiles(cells, 1000)
    mapped = map_tile(reading, cells, tiles[0], "centre", plain_bundle)
    folder = tmp_path / "out"
    # The tile itself stands elsewhere; GDAL would write most of a small file only on closing it.
    tile = tmp_path / "tile.tif"
    write_tile(mapped, reading, cells, tiles[0], tile, tile.with_suffix(".parquet"))
    square = shapely.box(0, 0, 1, 1)
    table = pd.DataFrame({"name": ["x" * 99] * 2000, "geometry": [square] * 2000})
    writers: dict[str, Callable[[Path], None]] = {
        "tile.tif": lambda path: write_tile(
            mapped, reading, cells, tiles[0], path, path.with_suffix(".parquet")
        ),
        "probability.tif": lambda path: write_mosaic([tile], tiles, reading.grid, cells, {}, path),
        # Without its spatial index it would be shorter, and nobody would miss a zone.
        "zones.gpkg": lambda path: write_geopackage({"zones": table}, {}, "EPSG:32633", path),
    }
    for name, write in writers.items():
        write(tmp_path / name)
        size = (tmp_path / name).stat().st_size
        said = rf"after \d+ bytes while writing .*({name}|map\.vrt); .*again"
        for limit in (size // 2, size - 1):
            with limited(limit), pytest.raises(OSError, match=said):
                write(folder / name)
            assert list(folder.iterdir()) == [], (name, limit)


def test_a_missing_orbit_leaves_its_channels_out(scene_copy: Path) -> None:
    found = interpret(scene_copy, optical=None)
    with open_scene(found.reading) as reader:
        assert reader.channels == [name for name in CHANNELS if "_" in name]
        pixels = reader.read(0, 0, 64, 64)
    assert pixels.channels.shape == (8, 64, 64)
