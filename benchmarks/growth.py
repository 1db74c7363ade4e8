"""The workflow's jobs on ever more patches: time per patch, peak memory and disk of every stage.

Runs the real Snakefile on random patches in the competition's layout, or on windows of one
simulated scene (`--source scenes`). The training set stays the same, the test set grows: manifest,
store, statistics, scaling and the prediction of test patches by a tree model and a small network of
two folds grow with it, training does not. With scenes there is more to do: to look at every window,
and to list those that are patches. Seconds are those of jobs, as Snakemake notes them, added up,
their start included: of few patches it is most of it. Memory is the most that one job of a rule
held, and `cpu` the processor's seconds, which other programs disturb less: the kernel's figures of
its processes, added up, asked for five times a second.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from itertools import pairwise, product
from pathlib import Path
from typing import Any

import psutil
import pyarrow.parquet as pq
import yaml

from benchmarks.growth_inputs import make_patches, make_scenes
from benchmarks.recording import record

ROOT = Path(__file__).resolve().parent.parent

# Stage -> rules of its jobs, by how their benchmark files are named, or their scripts.
STAGES = {
    "scenes": ("look_at_scene", "list_windows"),
    "manifest": ("list_patches", "survey_patches", "build_manifest"),
    "store": ("build_store", "join_store"),
    "statistics": ("compute_statistics",),
    "scaling": ("fit_scaling",),
    "prediction, trees": ("lightgbm/predict", "predict_trees"),
    "prediction, network": ("small/predict", "predict_network"),
    "ensemble": ("ensemble/predict_test",),
}
# Of a job's process: what Snakemake calls the copy of a rule's script that it runs.
SCRIPT = re.compile(r"scripts/tmp\w+\.(\w+)\.py")
CONFIG: dict[str, Any] = {
    "folds": {"n": 2},
    "encoders": {"tiny": {"timm": "test_efficientnet", "pretrained": False}},
    "models": {
        **dict.fromkeys(
            [
                *("xgboost", "maxvit_rgbn", "vit_medium_sar_indices", "pwee_v2_standard"),
                *("pwee_v2_robust", "pwee_v3", "caformer_v3", "vit_rope_v3c"),
            ]
        ),
        "lightgbm": {"trees": 100, "learning_rate": 0.1},
        "small": {
            "kind": "network",
            "encoder": "tiny",
            "inputs": ["rgbn"],
            "scaling": "robust",
            "head": "single",
            "features": 16,
            "training": {
                "epochs": 1, "batch_size": 32, "learning_rate": 1e-3, "image_size": 16,
                "tta": "none", "precision": "float32",
            },
        },
    },
    "ablation": {"tables": {}},
}  # fmt: skip


def main() -> None:
    """Command line: prints a table for people, then one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--patches", type=int, nargs="+", default=[7_000, 50_000, 200_000])
    parser.add_argument(
        "--source",
        choices=["files", "scenes"],
        nargs="+",
        default=["files"],
        help="what patches come from; both: one after the other, count by count",
    )
    parser.add_argument("--size", type=int, default=16, help="pixels a side; default: %(default)s")
    parser.add_argument("--shard", type=int, default=8192, help="patches; default: %(default)s")
    parser.add_argument("--cores", type=int, default=2, help="default: %(default)s")
    parser.add_argument("--folder", type=Path, help="for scratch files; default: a temporary one")
    parser.add_argument("--data-only", action="store_true", help="end with the store")
    parser.add_argument("--no-network", action="store_true", help="leave out its prediction")
    given = parser.parse_args()
    if given.no_network:
        CONFIG["models"]["small"] = None
        del STAGES["prediction, network"]
    if given.data_only:
        for stage in set(STAGES) - {"scenes", "manifest", "store"}:
            del STAGES[stage]
    load = os.getloadavg()[0]
    print(f"{given.size} x {given.size} pixels, {given.shard} patches a shard; load {load:.1f}")
    print(f"{'patches':>9} {'from':7}{'stage':20}{'jobs':>5}{'s':>8}{'us/patch':>10}{'cpu s':>8}")
    rows = []
    peaks: dict[str, dict[int, dict[str, int]]] = {source: {} for source in given.source}
    for count, source in product(given.patches, given.source):
        found = measure(count, source, given)
        made = found["patches"]
        for stage, row in found["stages"].items():
            row["microseconds"] = round(row["seconds"] / made * 1e6, 1)
            rows.append({"source": source, "patches": made, "stage": stage, **row})
            print(
                f"{made:9} {source:7}{stage:20}{row['jobs']:5}{row['seconds']:8.1f}"
                f"{row['microseconds']:10.0f}{row['cpu']:8.1f}",
                flush=True,
            )
        peaks[source][made] = found["peak_mb"]
        print(
            f"{made:9} in all: {found['wall_seconds']:.0f} s from the command to its end; input "
            f"{found['input_gb']:.2f} GB in {found['input_files']} files, results "
            f"{found['results_gb']:.2f} GB, freed; load {os.getloadavg()[0]:.1f}",
            flush=True,
        )
    for source, counts in peaks.items():
        print(f"From {source}:")
        print(in_words([row for row in rows if row["source"] == source]))
        print(f"{'most MB of a job':24}" + "".join(f"{count:>9}" for count in counts))
        for rule in list(counts.values())[-1]:
            print(f"{rule:24}" + "".join(f"{of.get(rule, 0):9}" for of in counts.values()))
    figures = {"benchmark": "growth", "size": given.size, "shard": given.shard}
    figures |= {"cores": given.cores, "load_before": round(load, 2), "rows": rows, "peak_mb": peaks}
    record(figures, "growth_scenes" if "scenes" in given.source else None)


def in_words(rows: list[dict[str, Any]]) -> str:
    """How the most patches compare with fewer, and what each further patch took between the two.

    What jobs take to start weighs on few patches; further ones show it once a shard.
    """
    counts = sorted({row["patches"] for row in rows})
    lines = []
    for stage in dict.fromkeys(row["stage"] for row in rows):
        of = {row["patches"]: row for row in rows if row["stage"] == stage}
        most = of[counts[-1]]
        said = []
        for count in counts[:-1]:
            speed = most["microseconds"] / of[count]["microseconds"]
            said.append(f"{speed:.2f} times the time per patch of {count}")
        further = []
        for few, more in pairwise(counts):
            each = {
                key: (of[more][key] - of[few][key]) / (more - few) * 1e6
                for key in ("seconds", "cpu")
            }
            further.append(
                f"{each['seconds']:.0f} us from {few} to {more}, of the processor {each['cpu']:.0f}"
            )
        if said:
            lines.append(
                f"{stage}: {counts[-1]} patches take {', '.join(said)}. "
                f"Each further patch: {', '.join(further)}"
            )
    return "\n".join(lines)


def measure(count: int, source: str, given: argparse.Namespace) -> dict[str, Any]:
    """Run the workflow on about `count` test patches in a folder that is removed again."""
    with tempfile.TemporaryDirectory(dir=given.folder) as scratch:
        folder = Path(scratch)
        make = {"files": make_patches, "scenes": make_scenes}[source]
        own = make(folder / "data", count, given.size)
        config = {**CONFIG, **own}
        config["data"] = {**own["data"], "patches_per_shard": given.shard}
        (folder / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
        command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile")]
        command += ["--directory", str(folder), "--cores", str(given.cores), "--quiet", "all"]
        command += ["--resources", "gpu=0", "--configfile", str(folder / "config.yaml")]
        command += ["--workflow-profile", str(ROOT / "profiles" / "default")]
        ends = ["ensemble/test.parquet", "features/scaling.parquet"]
        if given.data_only:
            ends = ["store/train.h5", "store/test.h5"]
        command += ["--", *(f"results/{end}" for end in ends)]
        start = time.perf_counter()
        with (folder / "log.txt").open("w") as log:
            done = subprocess.Popen(command, stdout=log, stderr=log)
            peaks, cpu = watch(done)
        wall = time.perf_counter() - start
        if done.returncode:
            raise SystemExit((folder / "log.txt").read_text()[-6000:])
        used = {name: gigabytes(folder / name) for name in ("data", "results")}
        splits = pq.read_table(folder / "results/data/manifest.parquet", columns=["split"])
        stages = [stage for stage in STAGES if stage != "scenes" or source == "scenes"]
        return {
            "patches": splits["split"].to_pylist().count("test"),
            "wall_seconds": round(wall, 1),
            "input_gb": used["data"],
            "input_files": sum(path.is_file() for path in (folder / "data").rglob("*")),
            "results_gb": used["results"],
            "stages": {
                stage: read_stage(folder / "results/benchmarks", stage)
                | {"cpu": round(sum(cpu.get(rule.split("/")[-1], 0) for rule in STAGES[stage]), 2)}
                for stage in stages
            },
            "peak_mb": peaks,
        }


def watch(workflow: subprocess.Popen[bytes]) -> tuple[dict[str, int], dict[str, float]]:
    """Wait for the workflow to end; rule -> the most MB that a job of it held, and all its cpu."""
    marks: dict[tuple[str, int], dict[int, int]] = defaultdict(dict)
    seconds: dict[tuple[str, int], dict[int, float]] = defaultdict(dict)
    engine = psutil.Process(workflow.pid)
    while workflow.poll() is None:
        for job in engine.children():
            try:
                script = SCRIPT.search(" ".join(job.cmdline()))
                for process in [job, *job.children(recursive=True)] if script else []:
                    status = Path(f"/proc/{process.pid}/status").read_text()
                    mark = re.search(r"VmHWM:\s+(\d+) kB", status)
                    if script and mark:
                        marks[script[1], job.pid][process.pid] = int(mark[1])
                        used = process.cpu_times()
                        seconds[script[1], job.pid][process.pid] = used.user + used.system
            except (psutil.NoSuchProcess, FileNotFoundError, ProcessLookupError):
                continue
        time.sleep(0.2)
    peaks: dict[str, int] = {}
    cpu: dict[str, float] = defaultdict(float)
    for (rule, job), held in marks.items():
        peaks[rule] = max(peaks.get(rule, 0), round(sum(held.values()) / 1024))
        cpu[rule] += sum(seconds[rule, job].values())
    return peaks, cpu


def read_stage(folder: Path, stage: str) -> dict[str, Any]:
    """Jobs and their seconds, from Snakemake's benchmark files."""
    files = [
        path
        for path in folder.rglob("*.jsonl")
        if any(f"/{rule}" in path.as_posix() for rule in STAGES[stage])
    ]
    jobs = [json.loads(path.read_text().splitlines()[-1]) for path in files]
    if not jobs:
        raise SystemExit(f"no benchmark file of {stage} in {folder}")
    return {"jobs": len(jobs), "seconds": round(sum(job["s"] for job in jobs), 2)}


def gigabytes(folder: Path) -> float:
    """10^9 bytes of the files under a folder."""
    total = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return round(total / 1e9, 2)


if __name__ == "__main__":
    main()
