"""Train the paper's tree models on ever more random patches: what a tree takes, and a fold.

Two trainings of few trees tell what a tree takes from what all of it takes besides (bins, memory);
a whole fold is extrapolated from both. Trees of random patches grow as large as the settings let
them, as on real ones.
"""

import argparse
import os
import resource
import time
from pathlib import Path

import numpy as np
import yaml

from benchmarks.recording import record
from landslip.models.boosting import Examples, Task
from landslip.models.settings import TREES, TreeSettings, read_settings
from landslip.models.tree_libraries import fit

COLUMNS = [f"c{number}" for number in range(126)]
CONFIG = Path(__file__).resolve().parent.parent / "config.yaml"
FEW = 5


def main() -> None:
    """Command line: prints a table for people, then one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--patches", type=int, nargs="+", default=[5_717, 50_000, 800_000])
    parser.add_argument("--trees", type=int, default=60, help="default: %(default)s")
    parser.add_argument("--threads", type=int, default=1, help="default: %(default)s, as the rules")
    given = parser.parse_args()
    models = yaml.safe_load(CONFIG.read_text(encoding="utf-8"))["models"]
    print(f"{given.threads} thread(s), {len(COLUMNS)} columns; load {os.getloadavg()[0]:.1f}")
    heads = ("ms a tree", "besides s", "trees", "fold min")
    print(f"{'model':10}{'patches':>9}" + "".join(f"{head:>11}" for head in heads))
    rows = []
    for name in TREES:
        settings = read_settings(models[name])
        assert isinstance(settings, TreeSettings)
        seconds(settings, 1_000, FEW, given.threads)  # imports
        for patches in given.patches:
            few = seconds(settings, patches, FEW, given.threads)
            many = seconds(settings, patches, FEW + given.trees, given.threads)
            tree = (many - few) / given.trees
            besides = few - FEW * tree
            fold = besides + settings.trees * tree
            rows.append({"model": name, "patches": patches, "tree_ms": round(1e3 * tree, 2)})
            rows[-1] |= {"besides_s": round(besides, 2), "fold_s": round(fold, 1)}
            print(
                f"{name:10}{patches:9}{1e3 * tree:11.1f}{besides:11.1f}{settings.trees:11}"
                f"{fold / 60:11.1f}",
                flush=True,
            )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"most memory: {peak} MB")
    figures = {"benchmark": "tree_growth", "threads": given.threads, "peak_mb": peak}
    record({**figures, "rows": rows})


def seconds(settings: TreeSettings, patches: int, trees: int, threads: int) -> float:
    """Of one training."""
    random = np.random.default_rng(0)
    features = random.normal(size=(patches, len(COLUMNS)))
    labels = (features[:, :3].sum(axis=1) + random.normal(size=patches) > 1.5).astype(np.int8)
    train = Examples(features, labels)
    validation = Examples(features[: patches // 4], labels[: patches // 4])
    task = Task(
        settings=settings.model_copy(update={"trees": trees}), columns=COLUMNS, train=train,
        validation=validation, seed=1, threads=threads, gpu=False,
    )  # fmt: skip
    start = time.perf_counter()
    fit(task, lambda *_: None)
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
