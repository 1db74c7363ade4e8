"""Patches a second of a bundle's three budgets, of reading alone, and of a plain loop.

The plain loop is what a bundle is without this project: member by member, statistics patch by
patch with NumPy and SciPy, networks in float32, one view of one patch at a time.
"""

import argparse
import os
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import stats

import landslip
from benchmarks.recording import record
from landslip.bundle.ensemble import Ensemble
from landslip.bundle.prepare import from_array
from landslip.bundle.sensors import member_of
from landslip.ensemble.rules import FittedRule
from landslip.features.names import STATISTICS, feature_columns
from landslip.models.augmentation import VIEWS
from landslip.models.network_files import load_network
from landslip.models.tree_files import load_trees

Patches = NDArray[np.float32]


def plain_statistics(image: NDArray[np.float64]) -> list[float]:
    """Seven statistics of one channel of one patch."""
    pixels = image.ravel()
    return [
        pixels.mean(), np.median(pixels), pixels.min(), pixels.max(), pixels.std(),
        stats.skew(pixels) if pixels.std() else 0.0,
        stats.kurtosis(pixels) if pixels.std() else 0.0,
    ]  # fmt: skip


def plain_loop(ensemble: Ensemble, images: Patches, threads: int) -> NDArray[np.float64]:
    """Member by member, fold by fold, patch by patch."""
    names = ensemble.recipe.names
    whole = ensemble.record["combinations"][0]
    columns = feature_columns(names, STATISTICS)
    scores = np.empty((len(images), len(whole["columns"])))
    for place, column in enumerate(whole["columns"]):
        member = next(m for m in ensemble.record["members"] if m["name"] == member_of(column))
        found = np.zeros(len(images))
        for fold in range(member["folds"]):
            path = ensemble.folder / member["folder"] / f"fold{fold}" / "model.json"
            if member["kind"] == "network":
                network, told = load_network(path)
                stack = [names.index(name) for name in network.architecture.stack]
                with torch.no_grad():
                    for row, image in enumerate(images):
                        views = VIEWS[told["tta"]]
                        patch = torch.from_numpy(image[np.newaxis, stack])
                        logits = [network(view(patch))[0] for view in views]
                        found[row] += float(torch.sigmoid(torch.stack(logits).mean()))
            else:
                trees = load_trees(path, threads=threads)
                own = [columns.index(name) for name in trees.columns]
                for row, image in enumerate(images):
                    values = [v for band in image.astype(float) for v in plain_statistics(band)]
                    found[row] += float(trees.predict(np.array([values])[:, own])[0])
        scores[:, place] = found / member["folds"]
    return FittedRule.from_json(whole["rule"]).apply(scores)


def rate(work: Callable[[], object], n: int, repeats: int) -> float:
    """Patches a second, the best of some runs."""
    best = float("inf")
    for _ in range(repeats):
        started = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - started)
    return n / best


def main() -> None:
    """Print a table for people, then one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bundle", type=Path, help="folder or .zip")
    parser.add_argument("patches", type=Path, help="folder of .npy files")
    parser.add_argument("--plain", type=int, default=8, help="patches of the plain loop")
    parser.add_argument("--repeats", type=int, default=3, help="default: %(default)s")
    parser.add_argument("--threads", type=int, default=1, help="default: %(default)s")
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    ensemble = landslip.load(given.bundle, device=given.device, threads=given.threads)
    files = sorted(given.patches.glob("*.npy"))

    def read() -> NDArray[np.float64]:
        return np.stack([np.load(file).transpose(2, 0, 1) for file in files])

    patches = read()
    n = len(patches)
    ensemble.predict(patches[:64])  # imports, loads, compiles
    few, names = patches[: given.plain], list(ensemble.recipe.channels)
    prepared = from_array(few, names, ensemble.recipe, 0.5)
    images = prepared.images(np.arange(len(prepared)))
    expected = ensemble.predict(few).probability
    plainly = plain_loop(ensemble, images, given.threads)
    difference = float(np.abs(plainly - expected).max())
    rates = {
        "reading": rate(read, n, given.repeats),
        **{
            budget: rate(lambda b=budget: ensemble.predict(patches, budget=b), n, given.repeats)
            for budget in ("fast", "balanced", "full")
        },
        "plain": rate(lambda: plain_loop(ensemble, images, given.threads), len(images), 1),
    }
    f1 = ensemble.card["budgets"]
    for name, value in rates.items():
        reached = f", F1 out of fold {f1[name]:.4f}" if f1.get(name) is not None else ""
        print(f"{name:10}{value:10.1f} patches/s{reached}")
    print(f"balanced is {rates['balanced'] / rates['full']:.1f} times as fast as full")
    print(f"full and plain differ by at most {difference:.1e}")
    found = {
        "benchmark": "predict", "patches": n, "threads": given.threads, "device": given.device,
        "rates": rates,
        "f1": {name: f1[name] for name in ("fast", "balanced", "full")},
        "without_networks": f1["balanced_without_networks"], "difference": difference,
        "load": os.getloadavg()[0],
    }  # fmt: skip
    record(found)


if __name__ == "__main__":
    main()
