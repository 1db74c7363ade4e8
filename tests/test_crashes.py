"""Predictions and maps are killed at random moments and end as if they were not."""

from pathlib import Path

import pytest

from crash_campaign import COMMANDS, Campaign


@pytest.mark.parametrize("target", ["predict", "map"])
def test_a_command_killed_three_times_ends_like_one_that_was_not(
    target: str, tmp_path: Path
) -> None:
    reference, given, killed = (tmp_path / name for name in ("reference", "given", "killed"))
    reference.mkdir(), given.mkdir()
    command = COMMANDS[target](given)
    command.run(reference)
    campaign = Campaign(command, reference, killed, seed=1)
    campaign.run(rounds=3)
    assert campaign.kills == 3
