"""Reading patches: a file each, windows of a scene, and a plain loop over windows.

The same pixels three ways, each with the SHA-256 that the manifest keeps: as `.npy` files of
float32, as windows of a simulated scene by landslip's reader (all of them, and shares drawn at
random, as negatives are), and by a loop that opens each file for each window. Beforehand the scene
is looked at once, as `look_at_scene` does: interpreted, every window measured. Windows and files
are also surveyed, as `survey_patches` does in one process. Compared is the
processor's time, for the machine may be shared.
"""

import argparse
import hashlib
import logging
import os
import resource
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from rasterio.windows import Window

from benchmarks.growth_inputs import write_large_scene
from benchmarks.plain_windows import plain_window
from benchmarks.recording import record
from landslip.data.nodata import NoData
from landslip.data.patches import PatchError
from landslip.data.source import PatchFiles, PatchReader
from landslip.data.survey import survey_patches
from landslip.inventory.negatives import window_measures
from landslip.inventory.reader import open_windows
from landslip.inventory.windows import Cut, look_at_scene
from landslip.scene.decibels import to_decibels
from landslip.scene.interpreter import ChannelConventions, interpret_scene
from landslip.scene.layers import CHANNELS
from landslip.scene.reader import Reading
from landslip.simulation.whole_scene import simulate_scene_images

TILE = 10980  # pixels of a side of a Sentinel-2 tile


def main() -> None:
    """Print a table, then one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--windows", type=int, default=400, help="default: %(default)s")
    parser.add_argument("--size", type=int, default=64, help="pixels; default: %(default)s")
    parser.add_argument("--shares", type=float, nargs="+", default=[1.0, 0.1])
    parser.add_argument("--plain", type=int, default=20, help="windows of the plain loop")
    parser.add_argument("--folder", type=Path, help="for scratch files; default: a temporary one")
    given = parser.parse_args()
    # The interpreter's warnings are those of any simulated scene.
    logging.disable(logging.WARNING)
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(dir=given.folder) as scratch:
        figures = measure(Path(scratch), given)
    figures |= {
        "benchmark": "windows", "size": given.size, "load_before": round(load, 1),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }  # fmt: skip
    print(f"{given.size} x {given.size} pixels, load {load:.1f} to {os.getloadavg()[0]:.1f}")
    for way, row in figures["ways"].items():
        print(f"{way:38}{row['patches']:6} patches {row['milliseconds']:8.2f} ms a patch")
    print(f"scene: {figures['scene_mb']} MB in {figures['scene_files']} files; "
          f"as .npy {figures['npy_mb']} MB; interpreting it: {figures['interpreting_seconds']} s; "
          f"most held: {figures['peak_mb']} MB")  # fmt: skip
    record(figures)


def measure(folder: Path, given: argparse.Namespace) -> dict[str, Any]:
    """Processor's milliseconds a patch of each way."""
    rng = np.random.default_rng(0)
    ground = simulate_scene_images(rng, rows=256, columns=256, slides=0, cloud=0.0)
    write_large_scene(folder / "scene", ground, given.windows, given.size, rng)
    table, listed = folder / "windows.parquet", folder / "record.json"
    compile_code(given.size)
    cut = Cut(size=given.size, stride=given.size, least_data=0.01)
    ways = {}
    scene, conventions = folder / "scene" / "scene.yaml", ChannelConventions(channels=CHANNELS)
    interpret_scene(scene, conventions)  # loads what is compiled or imported at its first use
    began = time.process_time()
    interpret_scene(scene, conventions)
    interpreted = time.process_time() - began
    # To look at a scene is to interpret it first, which takes as long for a large one.
    began = time.process_time() + interpreted
    look_at_scene(scene, conventions, cut, table=table, record=listed)
    reader = open_windows([listed], CHANNELS)
    (path, reading), *_ = reader.readings.items()
    rows = pd.read_parquet(table)[["row", "column"]].assign(path=path)
    ways["scene, every window looked at once"] = spent(began, len(rows))
    pixels = []
    for share in given.shares:
        chosen = rows.iloc[np.sort(rng.choice(len(rows), round(share * len(rows)), False))]
        ways[f"scene, {share:.0%} of the windows"] = read(reader, chosen, pixels)
        ways[f"scene, {share:.0%} of them surveyed"] = survey(reader, chosen, given.size)
    npy = write_files(folder / "patches", pixels[: len(rows)])
    ways["a file each"] = read(PatchFiles(len(CHANNELS)), npy, [])
    ways["a file each, surveyed"] = survey(PatchFiles(len(CHANNELS)), npy, given.size)
    few = rows.iloc[:: max(len(rows) // given.plain, 1)]
    ways["scene, a plain loop"] = timed(lambda: plain_loop(reading, few, given.size), len(few))
    sizes = [os.path.getsize(file) for file in reading.layers.files]
    return {
        "ways": ways,
        "interpreting_seconds": round(interpreted, 2),
        "scene_files": len(sizes),
        "scene_mb": round(sum(sizes) / 1e6, 1),
        "scene_of_a_tile": round((given.windows * given.size**2 / TILE**2), 4),
        "npy_mb": round(len(rows) * given.size**2 * len(CHANNELS) * 4 / 1e6, 1),
    }


def compile_code(size: int) -> None:
    """Load what is compiled or imported at its first use."""
    patches = np.zeros((1, len(CHANNELS), size, size), np.float32)
    window_measures(patches, CHANNELS, 1000.0)
    to_decibels(np.ones((8, 8), np.float32), "power")


def read(reader: PatchReader, rows: pd.DataFrame, pixels: list[Any]) -> dict[str, Any]:
    """Read patches, kept in `pixels`, as the survey and the store do."""
    began = time.process_time()
    for patch in reader.read(rows, None):
        if isinstance(patch, PatchError):
            raise patch
        pixels.append(patch.pixels)
    return spent(began, len(rows))


def survey(reader: PatchReader, rows: pd.DataFrame, size: int) -> dict[str, Any]:
    """Survey patches in this process."""
    plausible = NoData([(-1e5, 1e5)] * len(CHANNELS), [[]] * len(CHANNELS))
    began = time.process_time()
    survey_patches(
        rows, reader=reader, of=len(rows), channels=len(CHANNELS), shape=(size, size),
        no_data=plausible, workers=1,
    )  # fmt: skip
    return spent(began, len(rows))


def write_files(folder: Path, pixels: list[Any]) -> pd.DataFrame:
    """The same patches as `.npy` files; their table."""
    folder.mkdir()
    paths = [folder / f"ID_{number:06d}.npy" for number in range(len(pixels))]
    for path, patch in zip(paths, pixels, strict=True):
        np.save(path, np.ascontiguousarray(patch))
    return pd.DataFrame({"path": [str(path) for path in paths]})


def plain_loop(reading: Reading, rows: pd.DataFrame, size: int) -> None:
    """Open each file for each window, read it, and make what landslip's reader makes of it."""
    layers = reading.layers
    # Of a window outside of an orbit's swath there is no median.
    warnings.simplefilter("ignore", RuntimeWarning)
    for row, column in zip(rows["row"], rows["column"], strict=True):
        patch = plain_window(layers, Window(int(column), int(row), size, size))
        hashlib.sha256(patch.tobytes()).hexdigest()


def timed(run: Callable[[], None], patches: int) -> dict[str, Any]:
    """What a run spent."""
    began = time.process_time()
    run()
    return spent(began, patches)


def spent(began: float, patches: int) -> dict[str, Any]:
    """Processor's milliseconds a patch since `began`."""
    used = time.process_time() - began
    return {"patches": patches, "milliseconds": round(used * 1e3 / patches, 3)}


if __name__ == "__main__":
    main()
