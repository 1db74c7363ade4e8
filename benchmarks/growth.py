"""Store, statistics and scaling of ever more patches: time per patch and peak memory."""

import os
import sys

# This folder must not be searched: it holds a file that bears the name of a standard module.
sys.path.pop(0)
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

import argparse
import json
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import psutil

from benchmarks.inputs import CHANNELS, INDICES, random_patches
from landslip.data.store_write import write_store
from landslip.features.scaling import channel_scaling, write_scaling
from landslip.features.statistics import patch_statistics, write_statistics
from landslip.files import file_digest

STAGES = ("store", "statistics", "scaling")
# Patches made once and written under many names with one number changed: making them is not
# what is measured.
_DISTINCT = 500


def main() -> None:
    """Command line: prints a table for people, then one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--patches", type=int, nargs="+", default=[7_000, 50_000, 200_000])
    parser.add_argument("--size", type=int, default=16, help="pixels a side; default: %(default)s")
    parser.add_argument("--threads", type=int, default=2, help="default: %(default)s")
    parser.add_argument("--folder", type=Path, help="for scratch files; default: a temporary one")
    parser.add_argument("--stage", choices=STAGES, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.stage:
        print(json.dumps(run_stage(given.stage, given.folder, given.threads)))
        return
    load = os.getloadavg()[0]
    print(f"{__doc__}\n{given.size} x {given.size} pixels, {len(CHANNELS)} bands; load {load:.1f}")
    print(f"{'patches':>9}{'stage':>12}{'s':>8}{'us/patch':>10}{'peak MB':>9}{'disk GB':>9}")
    rows = []
    for count in given.patches:
        with tempfile.TemporaryDirectory(dir=given.folder) as scratch:
            folder = Path(scratch)
            make_patches(folder, count, given.size)
            for stage in STAGES:
                row = {"patches": count, "stage": stage, **child(stage, folder, given.threads)}
                row["microseconds_per_patch"] = round(row["seconds"] / count * 1e6, 1)
                row["disk_gb"] = round(used(folder), 2)
                rows.append(row)
                print(
                    f"{count:9}{stage:>12}{row['seconds']:8.1f}{row['microseconds_per_patch']:10.0f}"
                    f"{row['peak_mb']:9.0f}{row['disk_gb']:9.2f}",
                    flush=True,
                )
    print(growth_in_words(rows, given.patches))
    facts = {"benchmark": "growth", "size": given.size, "threads": given.threads}
    print(json.dumps({**facts, "load_before": round(load, 2), "rows": rows}))


def growth_in_words(rows: list[dict[str, float]], counts: list[int]) -> str:
    """How time per patch and memory of the most patches compare with those of the fewest."""
    lines = []
    for stage in STAGES:
        few, many = (
            next(row for row in rows if (row["stage"], row["patches"]) == (stage, count))
            for count in (min(counts), max(counts))
        )
        speed = many["microseconds_per_patch"] / few["microseconds_per_patch"]
        memory = many["peak_mb"] - few["peak_mb"]
        lines.append(f"{stage}: {speed:.2f} times the time per patch, {memory:+.0f} MB at the peak")
    return "\n".join(lines)


def make_patches(folder: Path, count: int, size: int) -> None:
    """Write `count` different .npy files and the manifest of them."""
    patches = random_patches(np.random.default_rng(0), min(count, _DISTINCT), size)
    (folder / "patches").mkdir()
    rows = []
    for number in range(count):
        patch = patches[number % len(patches)]
        patch[0, 0, 0] = number
        path = folder / "patches" / f"ID_{number:07d}.npy"
        np.save(path, patch)
        rows.append((path.stem, str(path), file_digest(path)))
    table = pd.DataFrame(rows, columns=["id", "path", "sha256"])
    table.to_parquet(folder / "manifest.parquet")


def child(stage: str, folder: Path, threads: int) -> dict[str, float]:
    """One stage in a process of its own; its seconds and the peak of it and its workers."""
    command = [sys.executable, str(Path(__file__).resolve()), "--stage", stage]
    command += ["--folder", str(folder), "--threads", str(threads)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as program:
        peak = 0
        while program.poll() is None:
            peak = max(peak, resident(program.pid))
            time.sleep(0.05)
        assert program.stdout is not None
        said = program.stdout.read()
    if program.returncode:
        raise subprocess.CalledProcessError(program.returncode, command)
    return {"seconds": json.loads(said.splitlines()[-1]), "peak_mb": round(peak / 1e6)}


def resident(pid: int) -> int:
    """Bytes of memory that a process and its children hold now."""
    try:
        program = psutil.Process(pid)
        family = [program, *program.children(recursive=True)]
        return sum(one.memory_info().rss for one in family)
    except psutil.NoSuchProcess:
        return 0  # one of them has just ended: the next look counts


def run_stage(stage: str, folder: Path, threads: int) -> float:
    """Seconds of a stage, after imports and compiled code."""
    patch = np.zeros((1, 1, 8, 8), np.float32)
    # Load or compile the machine code: the same for few patches and many.
    patch_statistics(patch)
    channel_scaling(lambda: [patch])
    stages: dict[str, Callable[[], object]] = {
        "store": lambda: write_store(
            pd.read_parquet(folder / "manifest.parquet"),
            channels=CHANNELS,
            indices=INDICES,
            on_nonfinite="refuse",
            patches_per_shard=512,
            workers=threads,
            target=folder / "store.h5",
            shards=folder / "shards",
            digest=folder / "store.digest",
        ),
        "statistics": lambda: write_statistics(
            folder / "store.h5", folder / "statistics.parquet", threads=threads
        ),
        "scaling": lambda: write_scaling(
            folder / "scaling.parquet", [(folder / "store.h5", None)], threads=threads
        ),
    }
    start = time.perf_counter()
    stages[stage]()
    return round(time.perf_counter() - start, 2)


def used(folder: Path) -> float:
    """10^9 bytes of the files under a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e9


if __name__ == "__main__":
    main()
