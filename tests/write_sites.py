"""Have the disk full, or the machine down, at every call of every job that writes.

    make write-sites TARGET=all SITES=0          # or predict, map; SITES of each job, 0: all

A command runs once. Then each of its jobs runs again, alone, from what it read then, and from its
n-th call that puts something on the disk on (create, write, wait for the disk, rename, ...), all of
them fail with ENOSPC: the job must end with a status other than 0 and one message that names the
path and what to do; what stood under final names still stands or is replaced by the whole new file,
and no temporary is left. Or the call kills the job and all its processes: nothing partial stands
under a final name, and the job, run once more, leaves the same files as ever.
"""

import argparse
import ctypes
import errno
import os
import re
import runpy
import shutil
import signal
import subprocess
import sys
import tempfile
import traceback
import weakref
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from project import ROOT

KEEP = ("--skip-script-cleanup", "--notemp")
"""Options with which a run leaves its jobs to be run again."""
# What jobs import once for all of them: this takes longer than most jobs.
_HEAVY = (
    "torch", "timm", "lightgbm", "xgboost", "scipy.stats", "pandas", "h5py", "pyarrow.parquet",
    "matplotlib.pyplot", "rasterio", "pyogrio", "sklearn.isotonic", "snakemake.script",
)  # fmt: skip
_MARK = "######## snakemake preamble end #########"
_OLD = b"what stood there before"


@dataclass(frozen=True)
class Job:
    """A job as Snakemake ran it."""

    script: Path
    outputs: tuple[str, ...]
    logs: str
    """Folder of logs, in which a lack of room ends no job."""

    @property
    def name(self) -> str:
        """Its script and first output."""
        return f"{self.script.name.split('.', 1)[1]} -> {self.outputs[0]}"


def build_library(target: Path) -> Path:
    """Compile what is preloaded."""
    source = str(Path(__file__).with_suffix(".c"))
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", str(target), source, "-ldl"], check=True)
    return target


def recorded_jobs(folder: Path) -> list[Job]:
    """Jobs of a run with the options `KEEP`, in the order of their start."""
    jobs = []
    scripts = folder / ".snakemake" / "scripts"
    for path in sorted(scripts.glob("*.py"), key=lambda path: path.stat().st_mtime_ns):
        # Snakemake's own lines put the job's description together.
        given: dict[str, Any] = {"__file__": str(path)}
        exec(path.read_text().split(_MARK)[0], given)
        job = given["snakemake"]
        logs = re.match(r"(.*?/logs)/", str(job.log[0]))
        assert logs is not None, job.log
        jobs.append(Job(path, tuple(map(str, job.output)), str(folder / logs[1])))
    return jobs


class Replay:
    """Jobs of a finished run, run again one at a time."""

    def __init__(self, folder: Path, notes: Path) -> None:
        self.folder, self.notes = folder, notes
        self.results = folder / "results"
        self.temporary = folder / "tmp"
        self.temporary.mkdir(exist_ok=True)
        self.before = self.files()

    def files(self) -> dict[Path, bytes]:
        """All below the results but logs."""
        return {
            path: path.read_bytes()
            for path in self.results.rglob("*")
            if path.is_file() and path.suffix not in (".log", ".jsonl", ".lock")
        }

    def restore(self) -> None:
        """The results as they were after the run."""
        found = self.files()
        for path in found.keys() - self.before.keys():
            path.unlink()
        for path, content in self.before.items():
            if found.get(path) != content:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)

    def run(self, job: Job, at: int, error: int) -> tuple[int, str, list[str]]:
        """Exit status, what it says, and its calls; from the `at`th on (0: none) they fail."""
        said, calls = self.notes / "said.txt", self.notes / "calls.txt"
        child = os.fork()
        if child == 0:
            _run(job, self.folder, said, calls, at, error)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        # A job's own workers, who would wait for more.
        with suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)
        lines = calls.read_text().splitlines()
        return status, said.read_text(errors="replace"), lines

    def calls(self, job: Job) -> list[str]:
        """Calls of an undisturbed run, which must give the results that stand."""
        status, said, lines = self.run(job, 0, 0)
        assert status == 0, (job.name, said)
        renamed = {line.split("\t")[1] for line in lines if line.startswith("rename")}
        for path in (str(self.folder / output) for output in job.outputs):
            if os.path.isfile(path):
                whole = any(path == name or path.startswith(f"{name}/") for name in renamed)
                assert whole, (job.name, path, renamed)
        writes = ("write", "pwrite", "sendfile", "copy_file_range")
        written = [line.split("\t")[1] for line in lines if line.startswith(writes)]
        for path in renamed:
            if _is_temporary(Path(path)):
                continue
            stem = os.path.join(os.path.dirname(path), f".{Path(path).stem}.")
            assert any(name.startswith(stem) for name in written), (job.name, path, lines)
        return lines

    def fill_disk(self, job: Job, at: int) -> None:
        """The disk is full from the `at`th call on."""
        outputs = [self.folder / output for output in job.outputs]
        old = [path for path in outputs if path.is_file()]
        for path in old:
            path.write_bytes(_OLD)
        status, said, lines = self.run(job, at, errno.ENOSPC)
        where = (job.name, at, lines[-1:], status, said)
        if status == 0:
            # Waiting for a folder to reach the disk, say, is more than a job needs.
            assert not [path for path in old if path.read_bytes() == _OLD], where
        else:
            assert status == 1, where
            assert "free space" in said, where
            assert _target(lines[at - 1].split("\t")[1]) in said, where
            assert "Traceback" not in said, where
        self.check_visible(where)
        self.restore()

    def kill(self, job: Job, at: int) -> None:
        """The machine goes down at the `at`th call, and the job runs again."""
        for path in (self.folder / output for output in job.outputs):
            if path.is_dir():
                shutil.rmtree(path)
            path.unlink(missing_ok=True)
        status, said, lines = self.run(job, at, 0)
        where = (job.name, at, lines[-1:], status, said)
        assert status == -signal.SIGKILL, where
        self.check_visible(where, killed=True)
        status, said, lines = self.run(job, 0, 0)
        where = (job.name, at, "again", status, said)
        assert status == 0, where
        self.check_visible(where)
        assert all((self.folder / output).exists() for output in job.outputs), where
        self.restore()

    def check_visible(self, where: Any, *, killed: bool = False) -> None:
        """No file is partial, and no temporary is left."""
        for path, content in self.files().items():
            if _is_temporary(path):
                assert killed, (path, where)
            elif content != _OLD and not _differs_by_nature(path):
                assert content == self.before.get(path), (path, where)
        if not killed:
            assert list(self.temporary.iterdir()) == [], where


def _is_temporary(path: Path) -> bool:
    """Whether a file, or a folder above it, is on its way to its name."""
    return any(part.startswith(".") and ".tmp" in part for part in path.parts)


def _target(path: str) -> str:
    """Name of the file that a temporary is to become."""
    found = re.fullmatch(r"\.(.+)\.[0-9a-f]{8}\.[0-9]+\.tmp(\.[^.]+)?.*", Path(path).name)
    return Path(path).name if found is None else f"{found[1]}{found[2] or ''}"


def _differs_by_nature(path: Path) -> bool:
    """Whether a file of results holds times, or sums of one that does."""
    return path.suffix in (".sha256", ".html", ".png") or path.name in (
        "cost.json", "cost.csv", "speed.csv", "settings.json", "processor.json",
    )  # fmt: skip


def _run(job: Job, folder: Path, said: Path, calls: Path, at: int, error: int) -> None:
    """The job in this process, which ends."""
    code = 1
    try:
        os.setsid()
        for target, descriptor in ((said, 1), (said, 2)):
            opened = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            os.dup2(opened, descriptor)
        lines = os.open(calls, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND)
        os.chdir(folder)
        tempfile.tempdir = str(folder / "tmp")
        os.environ["TMPDIR"] = tempfile.tempdir
        sys.argv = [str(job.script)]
        for below in (folder / "results", folder / "tmp"):
            assert below.is_dir()
        library = ctypes.CDLL(None)
        library.write_sites(
            f"{folder}/".encode(), f"{job.logs}/".encode(), ctypes.c_long(at), error, lines
        )
        runpy.run_path(str(job.script), run_name="__main__")
        code = 0
    except SystemExit as ended:
        code = int(ended.code or 0)
    except BaseException:
        if sys.excepthook is sys.__excepthook__:
            traceback.print_exc()
        else:
            sys.excepthook(*sys.exc_info())
    finally:
        # Temporary folders go as at the end of a process of its own; what else there is to end is
        # this one's parent's.
        weakref.finalize._exitfunc()
        sys.stderr.flush()
        os._exit(code)


def chosen(count: int, most: int, random: Random) -> Iterator[int]:
    """Which of a job's calls, counted from 1: all, or some and always the last."""
    if most == 0 or count <= most:
        yield from range(1, count + 1)
    else:
        yield from sorted({count, *random.sample(range(1, count), most - 1)})


def try_all(folder: Path, sites: int, seed: int) -> tuple[int, int]:
    """Jobs and calls that were tried; this process must have the library preloaded."""
    sys.path.insert(0, str(ROOT))
    for name in _HEAVY:
        __import__(name)
    jobs, random, tried = recorded_jobs(folder), Random(seed), 0
    # Without a finalizer, which a job's end would call.
    notes = Path(tempfile.mkdtemp())
    try:
        replay = Replay(folder, notes)
        for job in jobs:
            calls = replay.calls(job)
            for at in chosen(len(calls), sites, random):
                replay.fill_disk(job, at)
                replay.kill(job, at)
                tried += 1
            print(f"{job.name}: {len(calls)} calls", flush=True)
    finally:
        shutil.rmtree(notes)
    return len(jobs), tried


def run_preloaded(folder: Path, *, sites: int, seed: int) -> str:
    """`try_all` in a process of its own with the library preloaded; what it says."""
    command = [sys.executable, __file__, "--of", str(folder)]
    command += ["--sites", str(sites), "--seed", str(seed)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    environment["PYTHONPATH"] = f"{ROOT}:{ROOT / 'tests'}"
    with tempfile.TemporaryDirectory() as scratch:
        environment["LD_PRELOAD"] = str(build_library(Path(scratch) / "write_sites.so"))
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-1000:] + done.stderr[-6000:]
    return done.stdout


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--target", choices=["all", "predict", "map"], default="all")
    parser.add_argument("--sites", type=int, default=0, help="of each job; default: all")
    parser.add_argument("--seed", type=int, default=1, help="of which; default: %(default)s")
    parser.add_argument("--of", type=Path, help="folder of a run with " + " ".join(KEEP))
    given = parser.parse_args()
    if given.of is not None:
        jobs, tried = try_all(given.of, given.sites, given.seed)
        print(
            f"{jobs} jobs, {tried} calls failed by a full disk and {tried} by a kill, seed "
            f"{given.seed}: messages, old files and new ones as they must be, no temporary is left"
        )
        return
    from crash_campaign import COMMANDS

    with tempfile.TemporaryDirectory() as scratch:
        folder, inputs = Path(scratch) / "run", Path(scratch) / "given"
        folder.mkdir(), inputs.mkdir()
        command = COMMANDS[given.target](inputs)
        command.run(folder, *KEEP)
        print(run_preloaded(folder, sites=given.sites, seed=given.seed), end="")


if __name__ == "__main__":
    main()
