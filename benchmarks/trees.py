"""Predict with LightGBM's trees at the paper's setting: some trees at a time beside all of them.

The model has 12,000 trees of 24 leaves, trained on 1,000 random patches. The plain way is one call
of the library, ours landslip's.
"""

import lightgbm
import numpy as np

from benchmarks.measure import Options, Variant, compare
from landslip.models.boosting import Examples, Floats, Task
from landslip.models.lightgbm_trees import fit, load
from landslip.models.settings import LightGBM

COLUMNS = [f"c{number}" for number in range(126)]
SETTINGS = LightGBM(
    kind="lightgbm", inputs=["any"], trees=12_000, learning_rate=0.005, leaves=24, max_depth=12,
    subsample=0.6, colsample=0.5, positive_weight=1.5, l2=0.3,
)  # fmt: skip


def prepare(options: Options) -> None:
    """Train, and write model and features."""
    random = np.random.default_rng(0)
    features = random.normal(size=(1_000, len(COLUMNS)))
    labels = (features[:, :3].sum(axis=1) + random.normal(size=1_000) > 1.5).astype(np.int8)
    examples = Examples(features, labels)
    task = Task(
        settings=SETTINGS, columns=COLUMNS, train=examples, validation=examples, seed=1,
        threads=options.threads, gpu=False,
    )  # fmt: skip
    trees = fit(task, lambda *_: None)
    (options.folder / "model.txt").write_bytes(trees.to_bytes())
    np.save(options.folder / "features.npy", random.normal(size=(options.patches, len(COLUMNS))))


def read(options: Options) -> Floats:
    """Features of the patches."""
    features: Floats = np.load(options.folder / "features.npy")
    return features


def plain(options: Options, rows: slice = slice(None)) -> None:
    """LightGBM itself."""
    booster = lightgbm.Booster(model_file=options.folder / "model.txt")
    booster.predict(read(options)[rows], num_threads=options.threads)


def ours(options: Options, rows: slice = slice(None)) -> None:
    """Predict with landslip."""
    trees = load((options.folder / "model.txt").read_bytes(), COLUMNS)
    trees.predict(read(options)[rows], options.threads)


def first_rows(options: Options) -> slice:
    """Few enough that warming up costs nothing."""
    return slice(min(2, options.patches))


if __name__ == "__main__":
    compare(
        __file__,
        __doc__,
        patches=1_429,
        repeats=5,
        prepare=prepare,
        plain=Variant(plain, lambda options: plain(options, first_rows(options))),
        ours=Variant(ours, lambda options: ours(options, first_rows(options))),
    )
