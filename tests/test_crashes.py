"""Predictions and maps are killed, and find the disk full, and end as if nothing had been."""

from dataclasses import dataclass
from pathlib import Path

import pytest
from write_sites import KEEP, run_preloaded

from crash_campaign import COMMANDS, Campaign, Command


@dataclass
class Undisturbed:
    """A command, and the folder in which it ran."""

    command: Command
    folder: Path


@pytest.fixture(scope="module", params=["predict", "map"])
def undisturbed(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Undisturbed:
    folder, given = (tmp_path_factory.mktemp(f"{request.param}_{name}") for name in ("run", "in"))
    command = COMMANDS[request.param](given)
    command.run(folder, *KEEP)
    return Undisturbed(command, folder)


def test_a_command_killed_three_times_ends_like_one_that_was_not(
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
