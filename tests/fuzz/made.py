"""Files that are right, made once for all readers that need them: mutants are made of copies."""

import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from assess.made_map import write_map

from landslip.simulation.products import write_scene
from landslip.simulation.whole_scene import simulate_scene_images

# Forks make them, and those after find them by their names.
_SCRATCH = tempfile.TemporaryDirectory(prefix="fuzz-made-")


def _once(name: str, make: Callable[[Path], object]) -> Path:
    folder = Path(_SCRATCH.name) / name
    if not folder.exists():
        make(folder)
    return folder


def made_bundle() -> Path:
    """Folder of a bundle of trees and networks, beside what it was made of."""

    def make(folder: Path) -> None:
        # Late: it imports torch, which few readers need.
        from made_bundle import make_bundle

        folder.mkdir()
        make_bundle(folder)

    return _once("bundle", make)


def made_scene() -> Path:
    """Folder of a small scene: SAFE with .jp2, radar, vectors and scene.yaml."""

    def make(folder: Path) -> None:
        random = np.random.default_rng(3)
        images = simulate_scene_images(random, rows=96, columns=96, slides=1, cloud=0.1)
        folder.mkdir()
        write_scene(folder, images, seed=3)

    return _once("scene", make)


def made_map() -> Path:
    """Folder of a finished map."""
    return _once("map", write_map)
