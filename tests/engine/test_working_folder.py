"""Whose lock of Snakemake's is taken away: that of a run that is no more."""

import subprocess
import sys
from pathlib import Path

import pytest

from project import ROOT

RUN = """
import sys, time
from pathlib import Path
from landslip.engine.working_folder import enter_working_folder
print("in", enter_working_folder(Path(sys.argv[1]), main=sys.argv[2] == "main"), flush=True)
time.sleep(60)
"""


def start(folder: Path, process: str, said: str = "") -> subprocess.Popen[str]:
    """A process of a run that has entered the folder, and what it was told."""
    command = [sys.executable, "-c", RUN, str(folder), process]
    other = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert other.stdout
    assert other.stdout.readline() == f"in {said}\n"
    return other


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    """A lock as Snakemake writes it."""
    lock = tmp_path / "locks" / "0.input.lock"
    lock.parent.mkdir()
    lock.touch()
    return lock


@pytest.mark.parametrize("process", ["main", "job"])
def test_a_lock_stays_while_its_run_or_a_job_of_it_lives(process: str, lock: Path):
    folder = lock.parents[1]
    with start(folder, "job") as first:
        with start(folder, process, "busy" if process == "main" else "") as other:
            assert lock.exists()
            other.kill()
        first.kill()


def test_a_killed_runs_lock_goes_with_the_next_run_and_not_with_a_job(lock: Path):
    folder = lock.parents[1]
    for process, said in (("job", ""), ("main", "killed")):
        assert lock.exists()
        with start(folder, process, said) as other:
            other.kill()
    assert not lock.exists()
