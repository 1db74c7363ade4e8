"""Predictions are killed, and find the disk full, and end as if nothing had been.

`make crash-campaign` and `make write-sites` do the same to the workflow and to maps, many times.
"""

import gzip
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest
from write_sites import KEEP, run_preloaded

from crash_campaign import Campaign, Command, predicting
from runs import planned, snakemake


@dataclass
class Undisturbed:
    """A command, and the folder in which it ran."""

    command: Command
    folder: Path


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    command = predicting(tmp_path_factory.mktemp("given"))
    folder = tmp_path_factory.mktemp("run")
    command.run(folder, *KEEP)
    return Undisturbed(command, folder)


def test_predictions_killed_three_times_end_like_ones_that_were_not(
    undisturbed: Undisturbed, tmp_path: Path
) -> None:
    campaign = Campaign(undisturbed.command, undisturbed.folder, tmp_path / "killed", seed=1)
    campaign.run(rounds=3)
    assert campaign.kills == 3


def test_a_refused_patch_that_is_put_back_and_touched_ones_are_not_answered_again(
    undisturbed: Undisturbed, tmp_path: Path
) -> None:
    folder, config = tmp_path / "run", undisturbed.command.config
    shutil.copytree(undisturbed.folder, folder)
    patches = Path(config["patches"])

    def replan() -> dict[str, int]:
        return planned(snakemake(folder, "-n", "-q", "rules", "--", "predict", config=config))

    path = sorted(patches.glob("*.npy"))[0]
    whole = path.read_bytes()
    path.write_bytes(whole[:-100])
    answer = snakemake(folder, "--", "predict", config=config)
    path.write_bytes(whole)
    assert answer.returncode != 0 and "truncated or unreadable" in answer.stdout + answer.stderr
    for each in [Path(config["bundle"]), *patches.iterdir()]:
        os.utime(each)
    assert replan() == {}
    table = patches / "Asked.CSV.gz"
    table.write_bytes(gzip.compress(b"ID\n"))
    jobs = replan()
    table.unlink()
    assert jobs["list_new_patches"] == 1


def test_a_full_disk_or_a_kill_at_a_call_of_each_job_leaves_nothing_partial(
    undisturbed: Undisturbed,
) -> None:
    said = run_preloaded(undisturbed.folder, sites=1, seed=1)
    assert "no temporary is left" in said
