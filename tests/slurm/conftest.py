"""A SLURM for the tests of this folder, where it is asked for."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from made_bundle import Made, make_bundle
from slurm.slurm import Cluster

SCRIPT = Path(__file__).with_name("cluster.sh")


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """A small bundle and new patches."""
    return make_bundle(tmp_path_factory.mktemp("bundle"))


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A controller and a node with one pretended GPU, ended after the tests."""
    if os.environ.get("LANDSLIP_SLURM") != "1":
        pytest.skip("set LANDSLIP_SLURM=1, as root on Debian, to run a SLURM of the test's own")
    folder = tmp_path_factory.mktemp("slurm")
    subprocess.run([SCRIPT, "install"], check=True, timeout=300)
    try:
        subprocess.run([SCRIPT, "start", folder], check=True, timeout=60)
        running = Cluster(folder)
        yield running
        running.end_workflows()
    finally:
        subprocess.run([SCRIPT, "stop", folder], check=False, timeout=120)
