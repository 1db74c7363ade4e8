"""Fixtures of the ensemble's tests."""

from pathlib import Path

import pytest
from ensemble.small_run import Run, write_ablation


@pytest.fixture
def done(tmp_path: Path) -> Run:
    """A run whose test labels are not known."""
    return write_ablation(tmp_path)
