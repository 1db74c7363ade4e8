"""What the jobs of trees cost beside their work: on this machine, on SLURM one by one, and grouped.

Work is what a job's cost.json says: from tables of features to files of predictions. Overhead is
the rest of the time that a processor was kept: the start of Python, Snakemake and its reading of
the rules; of a run on this machine its planning too, of a SLURM job also its submission's own
start. Time in the queue is no overhead of a job, for other jobs run meanwhile; `wall` holds it.

Jobs are shorter than those of the paper's setting, so that this ends in minutes. Overhead in
seconds does not depend on the work, hence the last column: its share if a job worked for --long
seconds. What else the machine does slows work and overhead alike: `slowed` is by how much, from
the processor time of the run on this machine and from how long the same work took in the others.
`alone` is overhead without. SLURM is that of tests/slurm (root on Debian); without, only this
machine is measured.
"""

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

sys.path.pop(0)  # this folder holds a file that bears the name of a standard module
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from project import ROOT
from slurm.slurm import Cluster
from workflow import snakemake

CLUSTER = ROOT / "tests" / "slurm" / "cluster.sh"
# As many at once as processors: the SLURM of the tests believes that it has more.
SLOTS = 2
READY = (
    "results/features/train.sha256",
    "results/features/test.sha256",
    "results/data/folds.parquet",
)


@dataclass(frozen=True)
class Run:
    """All jobs once."""

    way: str
    submissions: int
    work: float
    """Seconds of all jobs together."""
    kept: float
    """Seconds that processors were kept."""
    wall: float
    slowed: float
    """How much longer it took for what else the machine did."""


def main() -> None:
    """Command line: prints a table for people, then one line of JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--jobs", type=int, default=16, help="default: %(default)s")
    parser.add_argument("--trees", type=int, default=5000, help="a job; default: %(default)s")
    parser.add_argument("--patches", type=int, default=800, help="default: %(default)s")
    parser.add_argument("--repeats", type=int, default=1, help="default: %(default)s")
    parser.add_argument(
        "--long", type=float, default=80, help="seconds of work of a job of the paper's setting"
    )
    given = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"
    load = os.getloadavg()[0]
    runs = []
    with tempfile.TemporaryDirectory() as scratch:
        folder, config = Path(scratch) / "run", config_of(given)
        local(folder, *READY, config=config)
        with slurm(Path(scratch) / "slurm") as cluster:
            for _ in range(given.repeats):
                here = on_this_machine(folder, config)
                runs.append(here)
                if cluster is not None:
                    single = ("--group-components", "lightgbm=1")
                    for way, options in (("SLURM, one by one", single), ("SLURM, grouped", ())):
                        runs.append(on_slurm(cluster, folder, config, here, way, *options))
    print(
        f"{given.jobs} jobs of {given.trees} trees of LightGBM, {given.patches} patches, one thread"
        f" each, {SLOTS} at once; load of the machine before: {load:.1f}, {os.cpu_count()} cores\n"
    )
    print(f"{'':20}{'submitted':>10}{'work s':>8}{'overhead s':>11}{'share':>7}", end="")
    print(f"{'wall s':>8}{'slowed':>8}{'alone s':>8}{f'share at {given.long:.0f} s':>15}")
    for run in runs:
        work, overhead = run.work / given.jobs, (run.kept - run.work) / given.jobs
        alone = overhead / run.slowed
        print(f"{run.way:20}{run.submissions:10}{work:8.1f}{overhead:11.1f}", end="")
        print(f"{overhead / work:7.0%}{run.wall:8.0f}{run.slowed:8.1f}{alone:8.1f}", end="")
        print(f"{alone / given.long:15.1%}")
    print("\nWork and overhead are seconds a job.")
    facts = {
        "benchmark": "batching",
        "jobs": given.jobs,
        "trees": given.trees,
        "patches": given.patches,
        "load_before": round(load, 2),
        "cores": os.cpu_count(),
        "runs": [asdict(run) for run in runs],
    }
    print(json.dumps(facts))


def config_of(given: argparse.Namespace) -> dict[str, Any]:
    """One LightGBM model with as many folds as jobs are wanted."""
    return {
        "data": {"simulation": {"train": given.patches, "test": 20, "size": 16, "positives": 0.3}},
        "folds": {"n": given.jobs, "scheme": "stratified"},
        "models": {"lightgbm": {"trees": given.trees}},
    }


def targets(config: dict[str, Any]) -> list[str]:
    """One file of every job."""
    return [
        f"results/models/lightgbm/fold{fold}/oof.parquet" for fold in range(config["folds"]["n"])
    ]


def local(folder: Path, *files: str, config: dict[str, Any]) -> None:
    """The engine on this machine."""
    answer = snakemake(folder, "--", *files, config=config)
    if answer.returncode:
        raise RuntimeError(answer.stderr[-4000:])


def on_this_machine(folder: Path, config: dict[str, Any]) -> Run:
    """The default profile, two cores."""
    shutil.rmtree(folder / "results/models", ignore_errors=True)
    start, processor = time.perf_counter(), processor_seconds()
    local(folder, *targets(config), config=config)
    wall = time.perf_counter() - start
    slowed = SLOTS * wall / (processor_seconds() - processor)
    return Run("this machine", 1, work(folder), SLOTS * wall, wall, slowed)


def processor_seconds() -> float:
    """Of all programs that were started and have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def on_slurm(
    cluster: Cluster, folder: Path, config: dict[str, Any], here: Run, way: str, *arguments: str
) -> Run:
    """profiles/slurm; SLURM's own records say how long its jobs ran, `here` what the work takes."""
    shutil.rmtree(folder / "results/models", ignore_errors=True)
    earlier = {job.number for job in cluster.jobs()}
    start = time.perf_counter()
    program = cluster.workflow(
        folder, "--jobs", str(SLOTS), *arguments, "--", *targets(config), config=config
    )
    if program.wait():
        raise RuntimeError((folder / "log.txt").read_text()[-4000:])
    wall = time.perf_counter() - start
    jobs = [job.number for job in cluster.jobs() if job.number not in earlier]
    ran = [end - begin for number in jobs for begin, end in cluster.runs(number)]
    kept = sum(span.total_seconds() for span in ran)
    worked = work(folder)
    return Run(way, len(jobs), worked, kept, wall, here.slowed * worked / here.work)


def work(folder: Path) -> float:
    """Seconds that the jobs' own records say."""
    costs = (folder / "results/models").glob("*/*/cost.json")
    return sum(json.loads(path.read_text())["seconds"] for path in costs)


@contextmanager
def slurm(folder: Path) -> Iterator[Cluster | None]:
    """The tests' SLURM, or none where it cannot be started."""
    try:
        started = not subprocess.run([CLUSTER, "install"], check=False).returncode
        started = started and not subprocess.run([CLUSTER, "start", folder], check=False).returncode
        yield Cluster(folder) if started else None
    finally:
        subprocess.run([CLUSTER, "stop", folder], check=False)


if __name__ == "__main__":
    main()
