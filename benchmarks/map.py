"""Maps of a scene: reading alone, landslip by budget and stride, and a plain loop over windows.

The scene is a simulated one laid side by side until it has a ninth of the pixels of a Sentinel-2
tile; whole tiles are nine times that. `--bundle` names the bundle that is asked. Compared is the
processor's time, for the machine may be shared.
"""

import argparse
import os
import resource
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import rasterio
from rasterio.windows import Window

from benchmarks.plain_windows import plain_window
from benchmarks.recording import record
from landslip.bundle.ensemble import load
from landslip.features.statistics import patch_statistics
from landslip.scene.ask import conventions_of, patch_side, predict_with
from landslip.scene.cells import Cells, cut_tiles
from landslip.scene.interpreter import interpret_scene
from landslip.scene.reader import Reading
from landslip.scene.tiles import Predict, map_tile, write_tile
from landslip.simulation.products import write_scene
from landslip.simulation.whole_scene import SceneImages, simulate_scene_images

WHOLE = 10980  # pixels of a side of a Sentinel-2 tile


def laid_side_by_side(images: SceneImages, side: int) -> SceneImages:
    """The same ground over and over, `side` pixels high and wide."""

    def lay(image: Any) -> Any:
        times = -(-side // image.shape[-1])
        repeats = (1,) * (image.ndim - 2) + (times, times)
        return np.tile(image, repeats)[..., :side, :side]

    return replace(
        images,
        optical=lay(images.optical),
        scl=lay(images.scl),
        quiet_optical=images.quiet_optical[..., :64, :64],
        quiet_scl=images.quiet_scl[:64, :64],
        radar={orbit: (lay(a), lay(b)) for orbit, (a, b) in images.radar.items()},
        quiet={
            orbit: (a[..., :64, :64], b[..., :64, :64]) for orbit, (a, b) in images.quiet.items()
        },
        slides=np.zeros((0, side, side), np.bool_),
    )


def write_large_scene(folder: Path, side: int) -> None:
    """Products of a scene of so many pixels a side."""
    images = simulate_scene_images(
        np.random.default_rng(1), rows=768, columns=768, slides=8, cloud=0.1
    )
    write_scene(folder, laid_side_by_side(images, side), seed=1)


def interpret(scene: Path, bundle: Path) -> Reading:
    """How the scene is read."""
    return interpret_scene(scene, conventions_of(load(bundle))).reading


def read_alone(reading: Reading) -> float:
    """Processor seconds to read every block of every file once, with nothing done to it."""
    began = time.process_time()
    for file in reading.layers.files:
        with rasterio.open(file) as source:
            for row in range(0, source.height, 1024):
                height = min(1024, source.height - row)
                source.read(window=Window(0, row, source.width, height))
    return time.process_time() - began


def our_reading(reading: Reading, cells: Cells, tile: int) -> float:
    """Processor seconds to read every tile as a map does, with nobody asked about its patches."""

    def silent(patches: Any, channels: Any) -> Any:
        unknown = np.full(len(patches), np.nan)
        return SimpleNamespace(
            probability=unknown, threshold=unknown, members=unknown[:, None], member_names=("",),
            sensors=[""] * len(patches),
        )  # fmt: skip

    map_tile(reading, cells, cut_tiles(cells, 64)[0], "centre", silent)  # loads compiled code
    began = time.process_time()
    for each in cut_tiles(cells, tile):
        map_tile(reading, cells, each, "centre", silent)
    return time.process_time() - began


def plain_loop(reading: Reading, cells: Cells, ask: Predict, rows: int) -> float:
    """Processor seconds of a loop that reads each window of each file and asks about one patch."""
    layers = reading.layers
    began = time.process_time()
    for i in range(rows):
        for j in range(cells.columns):
            top = int(cells.first_rows(np.array([i]))[0])
            left = int(cells.first_columns(np.array([j]))[0])
            patch = plain_window(layers, Window(left, top, cells.patch, cells.patch))
            ask(patch[None], layers.channels)
    return time.process_time() - began


def mapped(reading: Reading, cells: Cells, ask: Predict, tile: int, folder: Path) -> Any:
    """Seconds of mapping every tile, one after the other; of the processor, too."""
    began, parts = time.perf_counter(), {"reading": 0.0, "predicting": 0.0}
    processor = time.process_time()
    for each in cut_tiles(cells, tile):
        done = map_tile(reading, cells, each, "centre", ask)
        write_tile(done, reading, cells, each, folder / "tile.tif", folder / "tile.parquet")
        parts = {key: parts[key] + done.seconds[key] for key in parts}
    whole = time.perf_counter() - began
    return {
        "seconds": whole,
        "processor_seconds": time.process_time() - processor,
        **parts,
        "writing": whole - sum(parts.values()),
    }


def main() -> None:
    """Print a table, then one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bundle", type=Path, required=True)
    parser.add_argument("--side", type=int, default=WHOLE // 3, help="pixels; default: %(default)s")
    parser.add_argument("--tile", type=int, default=2048)
    parser.add_argument("--budgets", nargs="+", default=["fast", "balanced", "full"])
    parser.add_argument("--strides", nargs="+", type=int, default=[64, 32])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument(
        "--plain-rows", type=int, default=1, help="rows of windows; the rest summed"
    )
    given = parser.parse_args()
    ensemble = load(given.bundle, threads=given.threads)
    patch = patch_side(ensemble)
    share = (WHOLE / given.side) ** 2
    with tempfile.TemporaryDirectory(prefix="landslip-map-") as name:
        folder = Path(name)
        # In a process of its own, as in a workflow: the memory measured is that of mapping.
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            pool.submit(write_large_scene, folder, given.side).result()
            began = time.perf_counter()
            reading = pool.submit(interpret, folder / "scene.yaml", given.bundle).result()
        figures: dict[str, Any] = {
            "benchmark": "map", "side": given.side, "whole_tile_is": share,
            "threads": given.threads, "load_at_start": os.getloadavg()[0],
            "interpreter_seconds": time.perf_counter() - began,
        }  # fmt: skip
        figures["reading_alone_seconds"] = read_alone(reading)
        cells = Cells(height=given.side, width=given.side, patch=patch, stride=given.strides[0])
        figures["our_reading_seconds"] = our_reading(reading, cells, given.tile)
        sample = np.zeros((512, len(reading.layers.channels), patch, patch), np.float32)
        patch_statistics(sample[:1])
        began = time.process_time()
        patch_statistics(sample + np.random.default_rng(0).random(sample.shape, np.float32))
        per_patch = (time.process_time() - began) / len(sample)
        runs = []
        for stride in given.strides:
            cells = Cells(height=given.side, width=given.side, patch=patch, stride=stride)
            for budget in given.budgets:
                ask = predict_with(ensemble, budget=budget)
                run = mapped(reading, cells, ask, given.tile, folder)
                run |= {"stride": stride, "budget": budget, "cells": cells.rows * cells.columns}
                run["statistics"] = per_patch * run["cells"]
                run["whole_tile_hours"] = run["seconds"] * share / 3600
                runs.append(run)
                print(f"stride {stride}, {budget}: {run['seconds']:.1f} s, "
                      f"{run['whole_tile_hours']:.2f} h a whole tile", flush=True)  # fmt: skip
        cells = Cells(height=given.side, width=given.side, patch=patch, stride=given.strides[0])
        ask = predict_with(ensemble, budget=given.budgets[0])
        rows = min(given.plain_rows, cells.rows)
        plain = plain_loop(reading, cells, ask, rows) * cells.rows / rows
        figures |= {"runs": runs, "plain_loop_seconds": plain, "plain_loop_rows_measured": rows}
        figures["peak_bytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    record(figures)


if __name__ == "__main__":
    main()
