"""Planted slides that a map finds, against the recall that the bundle's threshold promises.

A slide is found where the cell that holds its middle is above the threshold: the patch that is
centred there, to half a stride, is asked as a training patch would be. Scenes are drawn anew from
seeds; the interval is Clopper and Pearson's, of slides as if they were independent.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np
from scipy.stats import binomtest

from benchmarks.recording import record
from landslip.bundle.ensemble import BUDGETS, Ensemble, load
from landslip.scene.ask import conventions_of, patch_side, predict_with
from landslip.scene.cells import Cells, Tile
from landslip.scene.interpreter import interpret_scene
from landslip.scene.tiles import Predict, map_tile
from landslip.simulation.products import write_scene
from landslip.simulation.whole_scene import simulate_scene_images


def count_found(
    ensemble: Ensemble,
    ask: Predict,
    *,
    side: int,
    stride: int,
    slides: int,
    seed: int,
    folder: Path,
) -> tuple[int, int, int, float]:
    """Slides found by their middle, by any cell that they touch, all of them, and false alarms.

    The last is the share of cells without a slide that are above the threshold.
    """
    images = simulate_scene_images(
        np.random.default_rng(seed), rows=side, columns=side, slides=slides, cloud=0.0
    )
    write_scene(folder, images, seed=seed)
    reading = interpret_scene(folder / "scene.yaml", conventions_of(ensemble)).reading
    cells = Cells(height=side, width=side, patch=patch_side(ensemble), stride=stride)
    tile = Tile(number=0, row=0, column=0, rows=cells.rows, columns=cells.columns)
    table = map_tile(reading, cells, tile, "centre", ask).cells
    above = (table["probability"] > table["threshold"]).to_numpy().reshape(cells.rows, -1)
    middles = touched = 0
    free = np.ones_like(above)
    for slide in images.slides:
        rows, columns = np.nonzero(slide)
        middles += int(above[int(rows.mean()) // stride, int(columns.mean()) // stride])
        touched += int(above[rows // stride, columns // stride].any())
        free[rows // stride, columns // stride] = False
    return middles, touched, len(images.slides), float(above[free].mean())


def main() -> None:
    """Print what was found, then one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bundle", type=Path, required=True)
    parser.add_argument("--scenes", type=int, default=6, help="default: %(default)s")
    parser.add_argument("--slides", type=int, default=8, help="of a scene; default: %(default)s")
    parser.add_argument("--side", type=int, default=768, help="pixels; default: %(default)s")
    parser.add_argument("--stride", type=int, default=32, help="pixels; default: %(default)s")
    parser.add_argument("--recall", type=float, default=0.9, help="default: %(default)s")
    parser.add_argument("--budget", choices=BUDGETS, default="fast")
    given = parser.parse_args()
    ensemble = load(given.bundle, threads=1)
    ask = predict_with(ensemble, budget=given.budget, recall=given.recall)
    found = []
    for seed in range(given.scenes):
        with tempfile.TemporaryDirectory(prefix="landslip-planted-") as folder:
            found.append(
                count_found(
                    ensemble, ask, side=given.side, stride=given.stride, slides=given.slides,
                    seed=seed, folder=Path(folder),
                )
            )  # fmt: skip
        print(f"scene {seed}: {found[-1][0]} of {found[-1][2]} slides", flush=True)
    middles, touched, slides = (sum(each[at] for each in found) for at in range(3))
    interval = binomtest(middles, slides).proportion_ci(0.95, "exact")
    print(
        f"{middles} of {slides} found by the patch on their middle: {middles / slides:.3f} "
        f"({interval.low:.3f} to {interval.high:.3f}), promised {given.recall:g}; {touched} by any "
        f"cell that they touch"
    )
    record(
        {
            "benchmark": "planted", "budget": given.budget, "scenes": given.scenes,
            "side": given.side, "stride": given.stride, "slides": slides, "found": middles,
            "rate": middles / slides, "interval": [interval.low, interval.high],
            "promised": given.recall, "touched": touched,
            "false_alarms": float(np.mean([each[3] for each in found])),
        }
    )  # fmt: skip


if __name__ == "__main__":
    main()
