"""Listing the windows of ever more scenes: seconds and memory of `list_windows`.

Whole Sentinel-2 tiles side by side, as `look_at_scene` would have found them if every window were
seen; no pixel is read. 300 landslides a tile; every window without one is drawn, which is the most
that there can be. Each count runs in a process of its own, of which the kernel says how much memory
it held at most. Compare the processor's seconds, for the machine may be shared.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pyogrio
import shapely
from numpy.typing import NDArray

from benchmarks.recording import record
from landslip.inventory.labels import LabelRule
from landslip.inventory.listing import Rules, write_window_listing
from landslip.inventory.negatives import HARD, OTHER, Negatives
from landslip.inventory.windows import SceneRecord
from landslip.io.files import write_json, write_parquet
from landslip.scene.layers import Layers
from landslip.scene.rasters import Grid
from landslip.scene.reader import Reading

TILE, SIZE, PIXEL = 10980, 64, 10  # pixels of a tile's and a window's side; metres
ZONES = ("EPSG:32633", "EPSG:32631")
SLIDES = 300


def main() -> None:
    """Print a table, then one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tiles", type=int, nargs="+", default=[4, 12, 35])
    parser.add_argument("--stride", type=int, default=SIZE, help="pixels; default: %(default)s")
    parser.add_argument("--zones", type=int, choices=[1, 2], default=1, help="of UTM")
    parser.add_argument("--folder", type=Path, help="for scratch files; default: a temporary one")
    given = parser.parse_args()
    load = os.getloadavg()[0]
    print(f"{given.zones} UTM zones, stride {given.stride}; load {load:.1f}")
    print(f"{'windows':>10}{'listed':>10}{'cpu s':>8}{'wall s':>8}{'MB before':>10}{'most MB':>9}")
    rows = []
    for tiles in given.tiles:
        with tempfile.TemporaryDirectory(dir=given.folder) as scratch:
            command = [
                sys.executable,
                "-W",
                "ignore",
                "-c",
                "import benchmarks.listing as l; l.one()",
            ]
            command += [scratch, str(tiles), str(given.stride), str(given.zones)]
            done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
        rows.append({"tiles": tiles, **json.loads(done.stdout.splitlines()[-1])})
        row = rows[-1]
        print(
            f"{row['windows']:10}{row['listed']:10}{row['cpu']:8.1f}{row['wall']:8.1f}"
            f"{row['mb_before']:10}{row['mb_most']:9}",
            flush=True,
        )
    figures = {"benchmark": "listing", "stride": given.stride, "zones": given.zones}
    record(figures | {"load_before": round(load, 1), "rows": rows})


def one() -> None:
    """List the windows of so many tiles, in this process; print figures as JSON."""
    folder, tiles, stride, zones = Path(sys.argv[1]), *map(int, sys.argv[2:5])
    rng = np.random.default_rng(0)
    scenes, slides = [], []
    for number in range(tiles):
        grid = tile_grid(number, zones)
        scenes.append(write_tile(folder, number, grid, stride, rng))
        slides.append(write_slides(folder / f"{number}.gpkg", grid, rng))
    before, processor, wall = peak(), time.process_time(), time.perf_counter()
    write_window_listing(
        scenes={"train": scenes},
        inventories=slides,
        rules=Rules(
            label=LabelRule(min_area=2500), layer=None, date_column=None, unknown_date="use",
            negatives=Negatives(share=1.0), seed=1, scheme="blocks", block_size=1e4,
        ),
        listing=folder / "listing.parquet",
        listing_summary=folder / "listing.json",
    )  # fmt: skip
    figures = {
        "windows": tiles * len(window_corners(stride)) ** 2,
        "listed": pq.read_metadata(folder / "listing.parquet").num_rows,
        "cpu": round(time.process_time() - processor, 1),
        "wall": round(time.perf_counter() - wall, 1),
        "mb_before": before,
        "mb_most": peak(),
    }
    print(json.dumps(figures))


def window_corners(stride: int) -> NDArray[np.int64]:
    """First rows, or columns, of the windows of a tile."""
    return np.arange(0, TILE - SIZE + 1, stride)


def tile_grid(number: int, zones: int) -> Grid:
    """One of several tiles side by side, every second one in another zone if there are two."""
    down, across = divmod(number // zones, 4)
    side = TILE * PIXEL
    return Grid(
        crs=ZONES[number % zones], left=3e5 + across * side, top=5.3e6 - down * side, across=PIXEL,
        down=PIXEL, width=TILE, height=TILE,
    )  # fmt: skip


def write_tile(
    folder: Path, number: int, grid: Grid, stride: int, rng: np.random.Generator
) -> tuple[Path, Path]:
    """Record and table of a tile that was looked at."""
    corners = window_corners(stride)
    rows, columns = (each.ravel() for each in np.meshgrid(corners, corners, indexing="ij"))
    looked = SceneRecord(
        name=f"tile {number}", path=f"{number}.yaml", size=SIZE, windows=len(rows), seen=len(rows),
        reading=Reading(layers=Layers(name="x", event="2024-06-14"), grid=grid),
        files={}, warnings=[],
    )  # fmt: skip
    table = pd.DataFrame(
        {
            "row": rows, "column": columns, "data": 1.0, "cloud": 0.0, "layover": 0.0, "water": 0.0,
            "stratum": rng.choice([*HARD, OTHER], len(rows)),
        }
    )  # fmt: skip
    found = folder / f"{number}.json", folder / f"{number}.parquet"
    write_json(found[0], asdict(looked))
    write_parquet(found[1], table)
    return found


def write_slides(path: Path, grid: Grid, rng: np.random.Generator) -> Path:
    """Landslides of about a hectare on a tile."""
    x, y = rng.uniform(0, TILE * PIXEL, (2, SLIDES))
    outlines: Any = shapely.buffer(shapely.points(grid.left + x, grid.top - y), 60)
    pyogrio.raw.write(
        path, shapely.to_wkb(outlines), [np.arange(SLIDES)], ["slide"], geometry_type="Polygon",
        crs=grid.crs,
    )  # fmt: skip
    return path


def peak() -> int:
    """Most megabytes that this process held."""
    status = Path("/proc/self/status").read_text()
    return int(re.findall(r"VmHWM:\s+(\d+)", status)[0]) // 1024


if __name__ == "__main__":
    main()
