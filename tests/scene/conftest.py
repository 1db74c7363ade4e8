"""A simulated scene, made once, and folders of it that tests may damage."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from scene.simulated_scene import SEED, SIZES

from landslip.simulation.products import write_scene
from landslip.simulation.whole_scene import SceneImages, simulate_scene_images


@pytest.fixture(scope="session")
def scene_images() -> SceneImages:
    """What the sensors saw of a simulated scene."""
    return simulate_scene_images(np.random.default_rng(SEED), **SIZES)


@pytest.fixture(scope="session")
def made_scene(scene_images: SceneImages, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the whole scene; nobody may change it."""
    folder = tmp_path_factory.mktemp("scene")
    write_scene(folder, scene_images, seed=SEED)
    return folder


@pytest.fixture
def scene_copy(made_scene: Path, tmp_path: Path) -> Path:
    """A copy of it that a test may damage."""
    return Path(shutil.copytree(made_scene, tmp_path / "copy"))
