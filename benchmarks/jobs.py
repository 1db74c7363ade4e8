"""What a job costs before it works: planning of thousands, parsing, starting."""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from benchmarks.recording import record

ROOT = Path(__file__).resolve().parent.parent
# Says at its end whether the engine itself has imported torch: parsing must not.
PARSE = """
import atexit, sys
atexit.register(lambda: print("torch" if "torch" in sys.modules else "lean", file=sys.stderr))
from snakemake.cli import main
main(sys.argv[1:])
"""
# Enough patches for every fold; jobs that start as those of a large run do.
SMALL = {
    "data": {"simulation": {"train": 60, "test": 20, "size": 32, "positives": 0.3}},
    "folds": {"n": 2, "scheme": "stratified"},
    "encoders": {"enc3": {"timm": "test_vit2", "pretrained": False}},
    "models": {
        "lightgbm": {"trees": 5},
        "xgboost": {"trees": 5},
        "pwee_v2_standard": {
            "features": 8,
            "training": {"epochs": 1, "batch_size": 8, "image_size": 32},
        },
    },
}


@dataclass(frozen=True)
class Figure:
    """One measured time and what it must stay under."""

    name: str
    seconds: list[float]
    floor: float

    @property
    def holds(self) -> bool:
        """Whether the best time is below the floor."""
        return min(self.seconds) < self.floor


def main() -> None:
    """Command line: prints a table for people, then one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=int, default=200, help="default: %(default)s")
    parser.add_argument("--repeats", type=int, default=3, help="default: %(default)s")
    given = parser.parse_args()
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        many = folder / "many.yaml"
        many.write_text(yaml.safe_dump(many_models(given.models), sort_keys=False))
        jobs, planning = plan(folder, many, given.repeats, "default")
        _, planning_slurm = plan(folder, many, given.repeats, "slurm")
        lean, parsing = parse(folder, many, given.repeats)
        starts = start_jobs(folder / "run", given.repeats)
    figures = [
        Figure(f"snakemake -n, {given.models} models", planning, 15),
        Figure("the same through profiles/slurm", planning_slurm, 15),
        Figure("parse, engine's own start apart", parsing, 2),
        Figure("network job to its first line", starts["train_network"], 4),
        Figure("tree job to its first line", starts["train_lightgbm"], 2),
    ]
    print(f"{jobs} jobs; load of the machine before: {load:.1f}, {os.cpu_count()} cores\n")
    print(f"{'':38}{'least s':>9}{'most s':>9}{'floor':>7}")
    for figure in figures:
        times = f"{min(figure.seconds):9.2f}{max(figure.seconds):9.2f}{figure.floor:7.0f}"
        print(f"{figure.name:38}{times}  {'holds' if figure.holds else 'DOES NOT HOLD'}")
    print(f"\ntorch imported at parse: {'no' if lean else 'YES'}")
    figures = {
        "benchmark": "jobs",
        "models": given.models,
        "jobs": jobs,
        "plan_seconds": planning,
        "plan_slurm_seconds": planning_slurm,
        "parse_seconds": parsing,
        "network_start_seconds": starts["train_network"],
        "tree_start_seconds": starts["train_lightgbm"],
        "torch_at_parse": not lean,
        "load_before": round(load, 2),
        "cores": os.cpu_count(),
    }
    record(figures)


def many_models(count: int) -> dict[str, Any]:
    """The shipped config with its models copied under new names until there are `count`."""
    shipped = yaml.safe_load((ROOT / "config.yaml").read_text())["models"]
    names = list(shipped)
    copies = {
        f"{names[number % len(names)]}_copy{number}": shipped[names[number % len(names)]]
        for number in range(len(names), count)
    }
    return {"models": copies}


def plan(folder: Path, config: Path, repeats: int, profile: str) -> tuple[int, list[float]]:
    """Number of jobs of a dry run, and its seconds from the command to its end."""
    options = ["-n", "--quiet", "rules", "--configfile", str(config), "--", "all"]
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        answer = snakemake(folder, *options, profile=profile)
        times.append(round(time.perf_counter() - start, 2))
    totals = [line.split() for line in answer.splitlines() if line.startswith("total")]
    return int(totals[-1][1]), times


def parse(folder: Path, config: Path, repeats: int) -> tuple[bool, list[float]]:
    """Whether parsing leaves torch alone; its seconds over those of an empty Snakefile."""
    empty = folder / "empty.smk"
    empty.write_text("rule all:\n    input: []\n")
    times, lean = [], True
    for _ in range(repeats):
        seconds = []
        for arguments in (
            ["--snakefile", str(empty)],
            ["--snakefile", str(ROOT / "Snakefile"), "--configfile", str(config)],
        ):
            command = [sys.executable, "-c", PARSE, "--directory", str(folder), *arguments]
            start = time.perf_counter()
            answer = subprocess.run(
                [*command, "--list-rules"], cwd=folder, capture_output=True, text=True, check=True
            )
            seconds.append(time.perf_counter() - start)
            lean = lean and answer.stderr.split()[-1] == "lean"
        times.append(round(seconds[1] - seconds[0], 2))
    return lean, times


def start_jobs(folder: Path, repeats: int) -> dict[str, list[float]]:
    """Seconds from the start of a job's script to the first line of its log, for two rules."""
    folder.mkdir()
    config = folder / "small.yaml"
    config.write_text(yaml.safe_dump(SMALL, sort_keys=False))
    ready = ["results/features/scaling.parquet", "results/features/train.sha256"]
    options = ["--cores", "2", "--resources", "gpu=0", "--configfile", str(config), "--"]
    snakemake(folder, *options, *ready, "results/data/folds.parquet")
    found: dict[str, list[float]] = {}
    for rule, model in (("train_network", "pwee_v2_standard"), ("train_lightgbm", "lightgbm")):
        target = f"results/models/{model}/fold0/oof.parquet"
        log = folder / f"results/logs/models/{model}/fold0.log"
        for _ in range(repeats):
            log.unlink(missing_ok=True)
            command = [*base(folder), "--forcerun", rule, *options, target]
            with subprocess.Popen(
                command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            ) as program:
                found.setdefault(rule, []).append(round(first_line(program, folder, log), 2))
    return found


def first_line(program: subprocess.Popen[bytes], folder: Path, log: Path) -> float:
    """Watch a job: its script is written just before it starts, its log when it has begun."""
    scripts = folder / ".snakemake" / "scripts"
    started = None
    while program.poll() is None:
        if started is None and any(scripts.glob("*.py")):
            started = time.perf_counter()
        if started is not None and log.is_file() and log.stat().st_size:
            return time.perf_counter() - started
        time.sleep(0.005)
    raise RuntimeError(f"the job wrote no line to {log}")


def base(folder: Path, profile: str = "default") -> list[str]:
    """The engine with this project's Snakefile and one of its profiles."""
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile")]
    path = ROOT / "profiles" / profile
    return [*command, "--directory", str(folder), "--workflow-profile", str(path)]


def snakemake(folder: Path, *arguments: str, profile: str = "default") -> str:
    """What a finished call says."""
    command: Sequence[str] = [*base(folder, profile), *arguments]
    answer = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if answer.returncode:
        raise RuntimeError(answer.stdout[-2000:] + answer.stderr[-4000:])
    return answer.stdout + answer.stderr


if __name__ == "__main__":
    main()
