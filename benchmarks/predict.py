"""Patches a second of a bundle's three budgets, of reading alone, and of a plain loop.

The plain loop is what a bundle is without this project: member by member, statistics patch by
patch with NumPy and SciPy, networks in float32, one view of one patch at a time.
"""

import argparse
import os
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import stats

import landslip
from benchmarks.recording import record
from landslip.bundle.ensemble import BUDGETS, Ensemble
from landslip.bundle.prepare import from_array
from landslip.ensemble.rules import FittedRule
from landslip.ensemble.sensors import member_of
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


Model = Callable[[Patches, list[float]], float]


def plain_models(ensemble: Ensemble, threads: int) -> list[list[Model]]:
    """Every fold of every member, loaded: an image and its statistics -> a probability."""
    names = ensemble.recipe.names
    columns = feature_columns(names, STATISTICS)

    def load(path: Path, kind: str) -> Model:
        if kind == "network":
            network, told = load_network(path)
            stack = [names.index(name) for name in network.architecture.stack]
            views = VIEWS[told["tta"]]

            def network_says(image: Patches, _: list[float]) -> float:
                patch = torch.from_numpy(image[np.newaxis, stack])
                with torch.no_grad():
                    logits = torch.stack([network(view(patch))[0] for view in views])
                return float(torch.sigmoid(logits.mean()))

            return network_says
        trees = load_trees(path, threads=threads)
        own = [columns.index(name) for name in trees.columns]
        return lambda _, values: float(trees.predict(np.array([values])[:, own])[0])

    members = {member["name"]: member for member in ensemble.record["members"]}
    return [
        [
            load(
                ensemble.folder / members[name]["folder"] / f"fold{fold}" / "model.json",
                members[name]["kind"],
            )
            for fold in range(members[name]["folds"])
        ]
        for name in map(member_of, ensemble.record["combinations"][0]["columns"])
    ]


def plain_loop(models: list[list[Model]], rule: FittedRule, images: Patches) -> NDArray[np.float64]:
    """Patch by patch, member by member, fold by fold."""
    scores = np.empty((len(images), len(models)))
    for row, image in enumerate(images):
        values = [v for band in image.astype(float) for v in plain_statistics(band)]
        for place, folds in enumerate(models):
            scores[row, place] = np.mean([fold(image, values) for fold in folds])
    return rule.apply(scores)


def measure(
    works: Mapping[str, tuple[Callable[[], object], int]], repeats: int
) -> dict[str, float]:
    """Patches a second, the best of some rounds; in turn, as the machine's load comes and goes."""
    best = dict.fromkeys(works, float("inf"))
    for _ in range(repeats):
        for name, (work, _) in works.items():
            started = time.perf_counter()
            work()
            best[name] = min(best[name], time.perf_counter() - started)
    return {name: n / best[name] for name, (_, n) in works.items()}


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
    rule = FittedRule.from_json(ensemble.record["combinations"][0]["rule"])
    models = plain_models(ensemble, given.threads)
    plainly = plain_loop(models, rule, images)
    difference = float(np.abs(plainly - expected).max())
    works: dict[str, tuple[Callable[[], object], int]] = {
        "reading": (read, n),
        **{budget: (partial(ensemble.predict, patches, budget=budget), n) for budget in BUDGETS},
        "plain": (partial(plain_loop, models, rule, images), len(images)),
    }
    rates = measure(works, given.repeats)
    f1 = ensemble.card["budgets"]
    for name, value in rates.items():
        reached = f", F1 out of fold {f1[name]:.4f}" if f1.get(name) is not None else ""
        print(f"{name:10}{value:10.1f} patches/s{reached}")
    print(f"balanced is {rates['balanced'] / rates['full']:.1f} times as fast as full")
    print(f"full and plain differ by at most {difference:.1e}")
    found = {
        "benchmark": "predict", "patches": n, "threads": given.threads, "device": given.device,
        "rates": rates,
        "f1": {name: f1[name] for name in BUDGETS},
        "work": f1["balanced_work"], "difference": difference,
        "load": os.getloadavg()[0],
    }  # fmt: skip
    record(found)


if __name__ == "__main__":
    main()
