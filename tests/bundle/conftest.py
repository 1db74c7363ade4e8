"""A small bundle, made without training networks, that this stage's tests share."""

from pathlib import Path

import pytest

import landslip
from landslip.bundle.ensemble import Ensemble
from made_bundle import Made, make_bundle


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """What it was made of. Tests that change something copy it."""
    folder: Path = tmp_path_factory.mktemp("bundle")
    return make_bundle(folder)


@pytest.fixture(scope="session")
def ensemble(made: Made) -> Ensemble:
    """The bundle, opened."""
    return landslip.load(made.bundle, threads=1)
