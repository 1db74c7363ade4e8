"""A SLURM for the tests of this folder, where it is asked for."""

import os
import subprocess
from collections.abc import Iterator

import pytest

from made_bundle import Made, make_bundle
from slurm.slurm import SCRIPT, Cluster, running_cluster


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """A small bundle and new patches."""
    return make_bundle(tmp_path_factory.mktemp("bundle"))


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A controller and a node with one pretended GPU, ended after the tests."""
    if os.environ.get("LANDSLIP_SLURM") != "1":
        pytest.skip("set LANDSLIP_SLURM=1, as root on Debian, to run a SLURM of the test's own")
    subprocess.run([SCRIPT, "install"], check=True, timeout=300)
    with running_cluster(tmp_path_factory.mktemp("slurm")) as running:
        yield running
