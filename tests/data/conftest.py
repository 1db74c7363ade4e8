"""Fixtures of the data stage's tests."""

from pathlib import Path

import pytest

from small_competition import Competition, make_competition


@pytest.fixture
def competition(tmp_path: Path) -> Competition:
    """A small sound folder in the competition's layout."""
    return make_competition(tmp_path)
