"""Predictions are killed, and find the disk full, and end as if nothing had been.

`make crash-campaign` and `make write-sites` do the same to the study and to maps, many times.
"""

from dataclasses import dataclass
from pathlib import Path

import pytest
from write_sites import KEEP, run_preloaded

from crash_campaign import Campaign, Command, predicting


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


def test_a_full_disk_or_a_kill_at_a_call_of_each_job_leaves_nothing_partial(
    undisturbed: Undisturbed,
) -> None:
    said = run_preloaded(undisturbed.folder, sites=1, seed=1)
    assert "no temporary is left" in said
