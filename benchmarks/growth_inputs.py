"""What `benchmarks.growth` runs the workflow on: patches as files, or scenes with an inventory."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio
import shapely

from benchmarks.inputs import random_patches
from benchmarks.map import laid_side_by_side
from landslip.simulation.products import CORNER, CRS, write_scene
from landslip.simulation.whole_scene import SceneImages, simulate_scene_images

TRAIN = 400
# Patches made once and written under many names with two numbers changed: making them is not
# what is measured.
DISTINCT = 500
_METRES = 10


def make_patches(folder: Path, count: int, size: int) -> dict[str, Any]:
    """Write TRAIN training patches and `count` test patches, all different; their config."""
    patches = random_patches(np.random.default_rng(0), DISTINCT, size).astype(np.float32)
    for split, n in (("train", TRAIN), ("test", count)):
        inside = folder / f"{split}_data"
        inside.mkdir(parents=True)
        names = [f"ID_{split}{number:07d}" for number in range(n)]
        for number, name in enumerate(names):
            patch = patches[number % DISTINCT]
            # Two pixels count: a single one would leave what reflectance can be.
            patch[0, 0, 0] = 1000 + number % 10_000 + (0.5 if split == "train" else 0)
            patch[0, 1, 0] = 1000 + number // 10_000
            np.save(inside / f"{name}.npy", patch)
        if split == "train":
            rows = [f"{name},{number % 4 == 0:d}\n" for number, name in enumerate(names)]
        else:
            rows = [f"{name}\n" for name in names]
        header = "ID,label\n" if split == "train" else "ID\n"
        (folder / f"{split.capitalize()}.csv").write_text(header + "".join(rows))
    return {"data": {"folder": str(folder)}, "folds": {"n": 2, "scheme": "stratified"}}


def make_scenes(folder: Path, count: int, size: int) -> dict[str, Any]:
    """Write a scene of about TRAIN windows, one of about `count`, and landslides; their config.

    The ground is simulated once and laid side by side, with noise of its own in every pixel. Every
    window without a landslide is drawn.
    """
    rng = np.random.default_rng(0)
    ground = simulate_scene_images(rng, rows=512, columns=512, slides=0, cloud=0.0)
    slides = []
    east = 0.0
    for name, n in (("train", TRAIN), ("test", count)):
        side = write_large_scene(folder / name, ground, n, size, rng, east=east)
        # One for 20 windows, of about a tenth of a window each.
        middles = rng.uniform(0, side * _METRES, (n // 20, 2))
        places = shapely.points(CORNER[0] + east + middles[:, 0], CORNER[1] - middles[:, 1])
        slides.append(shapely.buffer(places, size * _METRES / 6))
        east += (side + size) * _METRES
    outlines = np.concatenate(slides)
    pyogrio.raw.write(
        folder / "slides.gpkg", shapely.to_wkb(outlines), [np.arange(len(outlines))], ["slide"],
        geometry_type="Polygon", crs=CRS,
    )  # fmt: skip
    return {
        "data": {
            "scenes": [str(folder / "train" / "scene.yaml")],
            "test": {"scenes": [str(folder / "test" / "scene.yaml")]},
            "inventory": [str(folder / "slides.gpkg")],
            "windows": {"size": size, "least_data": 0.01},
        },
        "label": {"min_share": 0.02},
        "negatives": {"share": 1.0, "hard": 0.0},
        "folds": {"n": 2, "scheme": "blocks", "block_size": float(5 * size * _METRES)},
    }


def write_large_scene(
    folder: Path,
    ground: SceneImages,
    count: int,
    size: int,
    rng: np.random.Generator,
    east: float = 0.0,
) -> int:
    """Write a square scene of `count` windows or a few more; its side in pixels."""
    side = int(np.ceil(count**0.5)) * size
    write_scene(folder, _with_noise(laid_side_by_side(ground, side), rng), seed=0, east=east)
    return side


def _with_noise(images: SceneImages, rng: np.random.Generator) -> SceneImages:
    """The same ground, no two places alike."""

    def decibels(image: Any) -> Any:
        return image + rng.normal(0, 0.3, image.shape).astype(np.float32)

    shape = images.optical.shape
    return replace(
        images,
        optical=images.optical + rng.integers(-20, 21, shape).astype(np.float32),
        radar={
            orbit: (decibels(before), decibels(after))
            for orbit, (before, after) in images.radar.items()
        },
    )
