"""Jobs on one machine get different GPUs, and a lease dies with its process."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from landslip.engine.devices import lease_device, visible_gpus
from landslip.io.files import InputError
from project import ROOT

LEASE = """
import os, sys, time
from pathlib import Path
from landslip.engine.devices import lease_device
lease_device(int(sys.argv[2]), slots_per_device=int(sys.argv[3]), wait=sys.argv[4] == "wait",
             folder=Path(sys.argv[1]))
print(os.environ["CUDA_VISIBLE_DEVICES"], flush=True)
time.sleep(60)
"""


class Job:
    """A process that takes a lease on fake GPUs and keeps it."""

    def __init__(
        self, folder: Path, gpus: str, wanted: int = 1, slots: int = 1, wait: str = "refuse"
    ):
        environment = {k: v for k, v in os.environ.items() if not k.startswith("SLURM")}
        self.process = subprocess.Popen(
            [sys.executable, "-c", LEASE, str(folder), str(wanted), str(slots), wait],
            cwd=ROOT,
            env={**environment, "CUDA_VISIBLE_DEVICES": gpus},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def gpu(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def error(self) -> str:
        return self.process.communicate(timeout=30)[1]

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


@pytest.fixture
def jobs():
    started: list[Job] = []
    yield started
    for job in started:
        job.kill()


def test_two_jobs_on_two_gpus_get_different_ones(tmp_path: Path, jobs: list[Job]):
    jobs += [Job(tmp_path, "0,1"), Job(tmp_path, "0,1")]
    assert {job.gpu() for job in jobs} == {"0", "1"}


def test_a_third_job_is_refused_where_it_may_not_wait(tmp_path: Path, jobs: list[Job]):
    jobs += [Job(tmp_path, "0,1", wanted=2)]
    assert jobs[0].gpu() == "0,1"
    late = Job(tmp_path, "0,1")
    assert "held by other jobs" in late.error()


def test_a_killed_job_frees_its_gpu_for_the_one_that_waits(tmp_path: Path, jobs: list[Job]):
    jobs += [Job(tmp_path, "3")]
    assert jobs[0].gpu() == "3"
    jobs += [Job(tmp_path, "3", wait="wait")]
    jobs[0].kill()
    assert jobs[1].gpu() == "3"


@pytest.mark.parametrize("gpu", ["GPU-8a-1f", "MIG-GPU-8a/1/0"])
def test_a_gpu_may_have_any_id_that_nvidia_gives(gpu: str, tmp_path: Path, jobs: list[Job]):
    jobs += [Job(tmp_path, gpu)]
    assert jobs[0].gpu() == gpu
    assert "held by other jobs" in Job(tmp_path, gpu).error()


def planted(folder: Path, what: str) -> Path:
    """A lease folder that is not as lease_device makes it; gives what a link in it leads to."""
    theirs = folder / "theirs"
    leases = folder / "leases"
    if what == "link to a folder":
        theirs.mkdir(mode=0o700)
        leases.symlink_to(theirs)
        return theirs
    leases.mkdir(mode=0o755 if what == "open to others" else 0o700)
    if what == "link to a file":
        (leases / "gpu0.slot0.lock").symlink_to(theirs)
    elif what == "folder for a lock":
        (leases / "gpu0.slot0.lock").mkdir()
    elif what == "file":
        leases.rmdir()
        leases.touch()
    return theirs


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("link to a folder", "leases is a link, expected a folder that only this user can enter"),
        ("open to others", r"leases is of user \d+ with mode 0755, expected .* TMPDIR"),
        ("file", "leases cannot be used .*, expected a folder"),
        ("link to a file", r"gpu0\.slot0\.lock cannot be locked .* remove it"),
        ("folder for a lock", r"gpu0\.slot0\.lock cannot be locked"),
    ],
)
def test_a_planted_lease_folder_is_refused_and_nothing_is_written_through_it(
    what: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    theirs = planted(tmp_path, what)
    with pytest.raises(InputError, match=message):
        lease_device(1, folder=tmp_path / "leases")
    assert not theirs.exists() or not list(theirs.iterdir())


def test_a_lease_folder_of_another_user_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    monkeypatch.setattr(os, "getuid", lambda: tmp_path.stat().st_uid + 1)
    with pytest.raises(InputError, match="expected a folder that only this user can enter"):
        lease_device(1, folder=tmp_path)


def test_slots_let_jobs_share_a_gpu_on_purpose(tmp_path: Path, jobs: list[Job]):
    jobs += [Job(tmp_path, "0", slots=2), Job(tmp_path, "0", slots=2)]
    assert [job.gpu() for job in jobs] == ["0", "0"]


def test_a_gpu_asked_for_and_absent_is_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    with pytest.raises(InputError, match="gpu=0"):
        lease_device(1)


def test_fewer_gpus_than_asked_are_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    with pytest.raises(InputError, match=r"asks for 2 GPU.* shows 1"):
        lease_device(2)


def test_no_gpu_asked_for_means_the_cpu_even_where_there_is_one(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    assert lease_device(0) == "cpu"
    assert visible_gpus() == []


def test_gpus_that_slurm_gave_are_used_as_they_are(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2")
    monkeypatch.setenv("SLURM_JOB_ID", "7")
    assert lease_device(1, folder=tmp_path) == "cuda"
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "2"
    assert not list(tmp_path.iterdir())
