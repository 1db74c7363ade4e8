"""What SLURM itself says of its jobs, and the workflow started through profiles/slurm."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

from project import ROOT

SCRIPT = Path(__file__).with_name("cluster.sh")
# The pretended GPU is SLURM's to hand out and nobody's to compute on: SLURM is asked for it as a
# generic resource, while the job's own `gpu`, which decides where it computes, is 0. The rule that
# a GPU asked for and absent is refused stays as it is, and has a test of its own.
NETWORK_RULES = ("train_network", "predict_network")
PRETENDED_GPU = (
    "--set-resources",
    *(f"{rule}:{asked}" for rule in NETWORK_RULES for asked in ("gpu=0", "gres=gpu:1")),
)
# Of equal numbers, networks give equal bits.
ONE_THREAD = ("--set-threads", *(f"{rule}=1" for rule in (*NETWORK_RULES, "predict_trees")))


@dataclass(frozen=True)
class Job:
    """One job, as `scontrol show job` tells it."""

    number: int
    name: str
    """Its rule; of a group, the group and the rules in it."""
    state: str
    restarts: int
    gpus: int
    cpus: int
    memory_mb: int
    minutes: int
    """Most that it may take."""
    text: str


@dataclass
class Cluster:
    """A running SLURM, whose files are in `folder`."""

    folder: Path
    programs: list[subprocess.Popen[bytes]] = field(default_factory=list)
    """Workflows that were started."""

    def environment(self) -> dict[str, str]:
        """What its programs and the workflow need to find it."""
        return {
            **os.environ,
            "SLURM_CONF": str(self.folder / "slurm.conf"),
            "OMP_NUM_THREADS": "1",
            "CUDA_VISIBLE_DEVICES": "",
        }

    def call(self, *command: str) -> str:
        """Output of one of SLURM's programs."""
        answer = subprocess.run(
            command, env=self.environment(), capture_output=True, text=True, timeout=30, check=False
        )
        assert answer.returncode == 0, (command, answer.stdout, answer.stderr)
        return answer.stdout

    def jobs(self) -> list[Job]:
        """Every job since it started."""
        lines = self.call("scontrol", "show", "job", "--oneliner").splitlines()
        return [_parse_job(line) for line in lines if line.startswith("JobId=")]

    def start_again(self, number: int) -> None:
        """Let a job that went back to the queue start now; SLURM lets it wait for two minutes."""
        until(
            lambda: self.call("squeue", "--noheader", "-j", str(number), "-o", "%T") == "PENDING\n"
        )
        self.call("scontrol", "update", f"jobid={number}", "StartTime=now")

    def pids(self, number: int) -> list[int]:
        """Processes of a running job; none while the node still prepares it."""
        try:
            lines = self.call("scontrol", "listpids", str(number)).splitlines()[1:]
        except AssertionError:
            return []
        return [int(line.split()[0]) for line in lines if not line.startswith("-1")]

    def keepers(self, number: int) -> list[str]:
        """SLURM's own processes that still look after a job on the node."""
        found = subprocess.run(
            ["ps", "-eo", "args"], capture_output=True, text=True, check=True
        ).stdout.splitlines()
        return [line for line in found if line.startswith(f"slurmstepd: [{number}.")]

    def runs(self, number: int) -> list[tuple[datetime, datetime]]:
        """Start and end of every run of a job, also of those that were requeued."""
        found = []
        for line in (self.folder / "jobs.txt").read_text().splitlines():
            fields = _fields(line)
            if int(fields["JobId"]) == number and fields["StartTime"] != "Unknown":
                ends = (fields["StartTime"], fields["EndTime"])
                found.append(tuple(datetime.fromisoformat(end) for end in ends))
        return found

    def workflow(
        self, folder: Path, *arguments: str, config: dict[str, Any]
    ) -> subprocess.Popen[bytes]:
        """The workflow under way through profiles/slurm; its words go to `folder`/log.txt."""
        command = through_profile(folder, config)
        # This SLURM has no accounting, and one machine needs no long waits.
        command += ["--slurm-no-account", "--slurm-status-command", "squeue"]
        command += ["--slurm-init-seconds-before-status-checks", "2"]
        command += ["--seconds-between-status-checks", "2", *ONE_THREAD, *arguments]
        with (folder / "log.txt").open("wb") as log:
            self.programs.append(
                subprocess.Popen(
                    command,
                    cwd=folder,
                    env=self.environment(),
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
            )
        return self.programs[-1]

    def end_workflows(self) -> None:
        """Those that a failed test has left behind."""
        for program in self.programs:
            if program.poll() is None:
                os.killpg(program.pid, signal.SIGKILL)
            program.wait()


@contextmanager
def running_cluster(folder: Path) -> Iterator[Cluster]:
    """A controller and a node with one pretended GPU, ended with all that they run."""
    try:
        subprocess.run([SCRIPT, "start", folder], check=True, timeout=120)
        cluster = Cluster(folder)
        try:
            yield cluster
        finally:
            cluster.end_workflows()
    finally:
        subprocess.run([SCRIPT, "stop", folder], check=False, timeout=120)


def through_profile(folder: Path, config: dict[str, Any]) -> list[str]:
    """The command of a person with a config of their own, in a folder that it makes."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "config.test.yaml"
    path.write_text(yaml.safe_dump(config, sort_keys=False))
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile")]
    command += ["--directory", str(folder), "--configfile", str(path)]
    return [*command, "--workflow-profile", str(ROOT / "profiles" / "slurm")]


def _fields(line: str) -> dict[str, str]:
    return dict(re.findall(r"(\S+?)=(\S*)", line))


def _parse_job(line: str) -> Job:
    fields = _fields(line)
    asked = re.search(r"TresPer\w+=\S*gpu(?::(\d+))?", line)
    limit = re.fullmatch(r"(?:(\d+)-)?(\d+):(\d+):\d+", fields["TimeLimit"])
    assert limit is not None, line
    days, hours, minutes = (int(part or 0) for part in limit.groups())
    return Job(
        number=int(fields["JobId"]),
        name=fields.get("Comment", "").removeprefix("rule_").split("_wildcards_")[0],
        state=fields["JobState"],
        restarts=int(fields["Restarts"]),
        gpus=int(asked[1] or 1) if asked else 0,
        cpus=int(fields["NumCPUs"]),
        memory_mb=_megabytes(fields["MinMemoryNode"]),
        minutes=60 * (24 * days + hours) + minutes,
        text=line,
    )


def _megabytes(text: str) -> int:
    number, unit = text[:-1], text[-1]
    return int(float(number) * {"M": 1, "G": 1024}[unit])


def until(
    happened: Callable[[], Any],
    program: subprocess.Popen[bytes] | None = None,
    seconds: float = 300,
) -> Any:
    """Wait for something true, and give it back; stop where `program` ended before."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = happened()
        if value:
            return value
        assert program is None or program.poll() is None, "the workflow ended too early"
        time.sleep(0.05)
    raise AssertionError("waited in vain")
