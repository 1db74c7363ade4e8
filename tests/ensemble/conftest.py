"""Fixtures of the ensemble's tests."""

from pathlib import Path

import pytest
from ensemble.small_study import Study, write_study


@pytest.fixture
def study(tmp_path: Path) -> Study:
    """A study whose test labels are not known."""
    return write_study(tmp_path)
