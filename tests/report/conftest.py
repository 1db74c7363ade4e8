"""Made-up runs with all their figures and pages, made once for all tests of the report."""

from pathlib import Path

import pytest
from report.drawn import draw_all, write_page
from report.made_run import MadeRun, make_run


@pytest.fixture(scope="session")
def done(tmp_path_factory: pytest.TempPathFactory) -> MadeRun:
    """Nine members, twelve channels and six indices, patches of 32 pixels, test labels."""
    made = make_run(tmp_path_factory.mktemp("ablation"))
    draw_all(made)
    return made


@pytest.fixture(scope="session")
def page(done: MadeRun) -> Path:
    """Its report, as of the paper's data."""
    return write_page(done, sorted(done.path("report").glob("*.png")), paper=True)


@pytest.fixture(scope="session")
def optical(tmp_path_factory: pytest.TempPathFactory) -> MadeRun:
    """One network on three bands and three indices; the test labels are not known."""
    made = make_run(
        tmp_path_factory.mktemp("optical"), patches=90, test=12, size=20, optical_only=True,
        members={"lite0_v2": 1.2}, test_labels=False,
    )  # fmt: skip
    draw_all(made)
    return made


@pytest.fixture(scope="session")
def optical_page(optical: MadeRun) -> Path:
    """Its report, as of simulated patches."""
    return write_page(optical, sorted(optical.path("report").glob("*.png")), simulated=True)
