"""Fixtures of the ensemble's tests."""

from pathlib import Path

import pytest
from ensemble.small_study import Study, write_ablation


@pytest.fixture
def study(tmp_path: Path) -> Study:
    """A study whose test labels are not known."""
    return write_ablation(tmp_path)
