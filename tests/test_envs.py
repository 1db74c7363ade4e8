"""The conda environments pin what the lock file pins."""

import runpy

import pytest
import yaml

from project import ROOT

MADE = runpy.run_path(str(ROOT / "envs" / "from_lock.py"))["environments"]()


@pytest.mark.parametrize("file", ["gpu.yaml", "cpu.yaml"])
def test_a_conda_environment_is_in_step_with_the_lock_file(file: str):
    assert (ROOT / "envs" / file).read_text() == MADE[file]


def test_the_environment_for_gpus_pins_every_package_of_the_lock_file():
    listed = yaml.safe_load(MADE["gpu.yaml"])["dependencies"][-1]["pip"]
    locked = [
        line for line in (ROOT / "requirements.lock").read_text().splitlines() if "==" in line
    ]
    pinned = [line for line in locked if not line.startswith((" ", "#"))]
    assert len(listed) == len(pinned) > 80


def test_the_environment_for_cpus_holds_nothing_of_cuda():
    listed = yaml.safe_load(MADE["cpu.yaml"])["dependencies"][-1]["pip"]
    assert not [line for line in listed if line.startswith(("nvidia", "cuda", "triton"))]
    assert any(line.startswith("torch==") for line in listed)
