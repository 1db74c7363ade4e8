"""Kill a small study again and again at random moments, go on with the same command, and compare.

    make crash-campaign ROUNDS=200 SEED=1

Each round starts the same command, kills its whole process group with SIGKILL after a random time,
and looks at what stands under final names: a deterministic file is absent or has the bytes of the
undisturbed run, and what differs by nature is whole. A study that ends before its kill is compared
and begun anew; after the last round the command is let run to its end.
"""

import argparse
import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from random import Random
from typing import Any

from project import ROOT
from runs import SMALL, read, results_of, snakemake, start_snakemake

# What the processor was measured to do depends on the time of day; all runs share one measurement.
MEASURED = ("processor.json", "processor.sha256")
LONGEST = 12.0  # seconds until a kill: a study's start and some of its jobs


class Campaign:
    """A study that is killed, beside one that was not.

    Parameters
    ----------
    reference
        Working folder of the undisturbed study.
    folder
        Working folder of the killed one; made and emptied as needed.
    seed
        Of the moments.
    """

    def __init__(
        self, reference: Path, folder: Path, *, seed: int, config: dict[str, Any] = SMALL,
        root: Path = ROOT,
    ) -> None:  # fmt: skip
        self.reference, self.folder = reference, folder
        self.config, self.root = config, root
        self.expected = results_of(reference)
        self.random = Random(seed)
        self.kills = self.finished = 0

    def run(self, rounds: int) -> None:
        """Kill `rounds` times, then finish; an AssertionError says what was not as it must be."""
        self.begin()
        while self.kills < rounds:
            if self.start_and_kill():
                self.check_visible()
            else:
                self.check_end()
                self.begin()
        answer = snakemake(self.folder, "--", "all", config=self.config, root=self.root)
        assert answer.returncode == 0, answer.stdout[-2000:] + answer.stderr[-4000:]
        self.check_end()

    def begin(self) -> None:
        """Empty the folder."""
        shutil.rmtree(self.folder, ignore_errors=True)
        models = self.folder / "results" / "models"
        models.mkdir(parents=True)
        for name in MEASURED:
            shutil.copy(self.reference / "results" / "models" / name, models / name)

    def start_and_kill(self) -> bool:
        """Whether the kill came before the end."""
        wait = self.random.uniform(0.5, LONGEST)
        program = start_snakemake(self.folder, "--", "all", config=self.config, root=self.root)
        try:
            program.wait(timeout=wait)
        except subprocess.TimeoutExpired:
            os.killpg(program.pid, signal.SIGKILL)
            program.wait()
            self.kills += 1
            return True
        assert program.returncode == 0, f"round {self.kills}: exit status {program.returncode}"
        return False

    def check_visible(self) -> None:
        """No file under a final name is partial."""
        for name, content in results_of(self.folder).items():
            assert content == self.expected.get(name), f"after kill {self.kills}: {name} differs"
        for path in self.folder.rglob("*.json"):
            if not path.name.startswith(".") and ".snakemake" not in path.parts:
                read(path)

    def check_end(self) -> None:
        """All is as in the undisturbed study, and nothing else is there."""
        self.finished += 1
        found = results_of(self.folder)
        assert found.keys() == self.expected.keys()
        assert [name for name in found if found[name] != self.expected[name]] == []
        left = [path for path in (self.folder / "results").rglob("*") if ".tmp" in path.name]
        assert left == []


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=10, help="kills; default: %(default)s")
    parser.add_argument("--seed", type=int, default=1, help="of the moments; default: %(default)s")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        reference = Path(scratch) / "reference"
        reference.mkdir()
        answer = snakemake(reference, "--", "all", config=SMALL)
        assert answer.returncode == 0, answer.stderr
        campaign = Campaign(reference, Path(scratch) / "killed", seed=given.seed)
        start = time.monotonic()
        campaign.run(given.rounds)
        print(
            f"{campaign.kills} kills, {campaign.finished} studies brought to their end, seed "
            f"{given.seed}, {time.monotonic() - start:.0f} s: every deterministic file has the "
            "bytes of the undisturbed study, none was partial, no temporary is left"
        )


if __name__ == "__main__":
    main()
