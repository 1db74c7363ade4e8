"""Kill a command again and again at random moments, go on with the same command, and compare.

    make crash-campaign ROUNDS=200 SEED=1                    # the small workflow
    make crash-campaign TARGET=predict ROUNDS=10             # or map
    make crash-campaign TARGET=slurm ROUNDS=10               # the workflow on a SLURM, as root

Each round starts the same command, kills its whole process group with SIGKILL after a random time,
and looks at what stands under final names: a deterministic file is absent or has the bytes of the
undisturbed run, and what differs by nature is whole. A command that ends before its kill is
compared and begun anew; after the last round it is let run to its end.
"""

import argparse
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from scene.simulated_scene import SEED, SIZES

from landslip.simulation.products import write_scene
from landslip.simulation.whole_scene import simulate_scene_images
from made_bundle import make_bundle
from project import ROOT
from runs import SMALL, read, results_of, snakemake, start_snakemake
from slurm.slurm import ONE_THREAD, PRETENDED_GPU, Cluster, running_cluster

# What the processor was measured to do depends on the time of day; all runs share one measurement.
MEASURED = ("processor.json", "processor.sha256")


# A SLURM job starts the workflow once more, which costs more than most of them do.
FEW_JOBS: dict[str, Any] = {**SMALL, "models": {**SMALL["models"], "xgboost": None}}


@dataclass(frozen=True)
class Command:
    """What is typed again and again."""

    target: str
    config: dict[str, Any]
    root: Path = ROOT
    options: tuple[str, ...] = ()
    longest: float = 12.0
    """Until a kill, seconds of processor time, the same on any machine; on SLURM of the clock."""
    pages: bool = False
    """Whether pages and sums, too, are the same in every run."""

    def run(self, folder: Path, *options: str) -> None:
        """Let it run to its end."""
        given = (*self.options, *options)
        answer = snakemake(
            folder, *given, "--", self.target, config=self.config, root=self.root, timeout=7200
        )
        assert answer.returncode == 0, answer.stdout[-2000:] + answer.stderr[-4000:]

    def start(self, folder: Path) -> subprocess.Popen[bytes]:
        """The same, under way."""
        return start_snakemake(
            folder, *self.options, "--", self.target, config=self.config, root=self.root
        )

    def results(self, folder: Path) -> dict[str, bytes]:
        """What runs of it have in common."""
        return results_of(folder, pages=self.pages)


class Campaign:
    """A command that is killed, beside one that was not.

    Parameters
    ----------
    command
        The command.
    reference
        Working folder of the undisturbed run.
    folder
        Working folder of the killed one; made and emptied as needed.
    seed
        Of the moments.
    """

    def __init__(self, command: Command, reference: Path, folder: Path, *, seed: int) -> None:
        self.command, self.reference, self.folder = command, reference, folder
        self.expected = command.results(reference)
        self.random = Random(seed)
        self.kills = self.finished = 0

    def run(self, rounds: int) -> None:
        """Kill `rounds` times, then finish; an AssertionError says what was not as it must be."""
        self.begin()
        while self.kills < rounds:
            if self.start_and_kill():
                self.kills += 1
                self.check_visible()
                print(f"{self.kills} kills, {self.finished} ends: as undisturbed", flush=True)
            else:
                self.check_end()
                self.begin()
        self.finish()
        self.check_end()

    def begin(self) -> None:
        """Empty the folder."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir()
        for name in MEASURED:
            measured = self.reference / "results" / "models" / name
            if measured.exists():
                copy = self.folder / "results" / "models" / name
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(measured, copy)

    def start_and_kill(self) -> bool:
        """Whether the kill came before the end."""
        longest = self.random.uniform(0.5, self.command.longest)
        program = self.command.start(self.folder)
        while program.poll() is None and processor_time(program.pid) < longest:
            time.sleep(0.02)
        if program.poll() is None:
            os.killpg(program.pid, signal.SIGKILL)
            program.wait()
            return True
        assert program.returncode == 0, f"round {self.kills}: exit status {program.returncode}"
        return False

    def finish(self) -> None:
        """Let the command run to its end."""
        self.command.run(self.folder)

    def check_visible(self) -> None:
        """No file under a final name is partial."""
        for name, content in self.command.results(self.folder).items():
            assert content == self.expected.get(name), f"after kill {self.kills}: {name} differs"
        for path in self.folder.rglob("*.json"):
            if not path.name.startswith(".") and ".snakemake" not in path.parts:
                read(path)

    def check_end(self) -> None:
        """All is as in the undisturbed run, and nothing else is there."""
        self.finished += 1
        found = self.command.results(self.folder)
        assert found.keys() == self.expected.keys()
        assert [name for name in found if found[name] != self.expected[name]] == []
        left = [path for path in (self.folder / "results").rglob("*") if ".tmp" in path.name]
        assert left == []


class SlurmCampaign(Campaign):
    """The same on SLURM, where a kill takes the command alone, or all of its jobs with it."""

    def __init__(
        self, cluster: Cluster, command: Command, reference: Path, folder: Path, *, seed: int
    ) -> None:
        super().__init__(command, reference, folder, seed=seed)
        self.cluster = cluster

    def start(self) -> subprocess.Popen[bytes]:
        """The command; a machine of two cores computes two jobs at a time."""
        options = (*PRETENDED_GPU, "--jobs", "3")
        return self.cluster.workflow(
            self.folder, *options, "--", self.command.target, config=self.command.config
        )

    def start_and_kill(self) -> bool:
        """Whether the kill came before the end; jobs that were spared have ended, too."""
        program = self.start()
        try:
            program.wait(timeout=self.random.uniform(5, self.command.longest))
        except subprocess.TimeoutExpired:
            os.killpg(program.pid, signal.SIGKILL)
            program.wait()
            if self.random.random() < 0.5:
                self.cluster.call("scancel", "--user=root", "--full", "--signal=KILL")
                self.cluster.call("scancel", "--user=root")
            while self.cluster.call("squeue", "--noheader"):
                time.sleep(0.5)
            return True
        assert program.returncode == 0, (self.folder / "log.txt").read_text()[-5000:]
        return False

    def finish(self) -> None:
        """Let the command run to its end."""
        program = self.start()
        assert program.wait() == 0, (self.folder / "log.txt").read_text()[-5000:]


def processor_time(session: int) -> float:
    """Seconds that a program and all that it started have computed."""
    ticks = 0
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text(errors="replace").rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == session:
            ticks += sum(map(int, fields[11:15]))
    return ticks / os.sysconf("SC_CLK_TCK")


def predicting(folder: Path) -> Command:
    """A packed bundle, made in `folder`, that is asked about a folder of patches."""
    made = make_bundle(folder)
    config = {"bundle": f"{made.bundle}.zip", "patches": str(made.patches)}
    return Command("predict", config, pages=True)


def mapping(folder: Path) -> Command:
    """A bundle and a scene, made in `folder`, and a map of four tiles."""
    made = make_bundle(folder)
    images = simulate_scene_images(np.random.default_rng(SEED), **SIZES)
    write_scene(folder / "scene", images, seed=SEED)
    scene = {"path": str(folder / "scene" / "scene.yaml"), "stride": 24, "tile": 256}
    config = {"results": "results", "bundle": str(made.bundle), "scene": scene}
    return Command("map", config, pages=True)


COMMANDS: dict[str, Callable[[Path], Command]] = {
    "all": lambda folder: Command("all", SMALL),
    "predict": predicting,
    "map": mapping,
    "slurm": lambda folder: Command(
        "results/submission.csv", FEW_JOBS, options=ONE_THREAD, longest=60.0
    ),
}


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=10, help="kills; default: %(default)s")
    parser.add_argument("--seed", type=int, default=1, help="of the moments; default: %(default)s")
    parser.add_argument("--target", choices=COMMANDS, default="all", help="default: %(default)s")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folders = [Path(scratch) / name for name in ("reference", "given", "killed", "cluster")]
        reference, inputs, killed, cluster = folders
        reference.mkdir(), inputs.mkdir()
        command = COMMANDS[given.target](inputs)
        command.run(reference)
        start = time.monotonic()
        if given.target == "slurm":
            with running_cluster(cluster) as running:
                campaign: Campaign = SlurmCampaign(
                    running, command, reference, killed, seed=given.seed
                )
                campaign.run(given.rounds)
        else:
            campaign = Campaign(command, reference, killed, seed=given.seed)
            campaign.run(given.rounds)
        print(
            f"{given.target}: {campaign.kills} kills, {campaign.finished} runs brought to their "
            f"end, seed {given.seed}, {time.monotonic() - start:.0f} s: every deterministic file "
            "has the bytes of the undisturbed run, none was partial, no temporary is left"
        )


if __name__ == "__main__":
    main()
