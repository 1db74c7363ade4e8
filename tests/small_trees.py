"""Features of a few patches, and small tree models trained on them."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from landslip.data.folds import split_digest
from landslip.features.names import feature_columns
from landslip.io.files import write_parquet
from landslip.models.settings import TREES, TreeSettings, read_settings
from landslip.models.trees import TreeOutputs, TreeTraining, train_trees

PATCHES, TEST_PATCHES, FOLDS = 300, 40, 3
CHANNELS, STATISTICS = [f"band{channel}" for channel in range(10)], ["mean", "std"]
COLUMNS = feature_columns(CHANNELS, STATISTICS)
SHARED = {
    "inputs": CHANNELS, "statistics": STATISTICS, "trees": 30, "learning_rate": 0.2,
    "max_depth": 4, "subsample": 0.7, "colsample": 0.6, "l2": 0.3, "positive_weight": 1.5,
}  # fmt: skip
OWN: dict[str, dict[str, Any]] = {"lightgbm": {"learning_rate": 0.1, "leaves": 12}}
SETTINGS: dict[str, TreeSettings] = {
    kind: read_settings(SHARED | OWN.get(kind, {}) | {"kind": kind}) for kind in TREES
}
KINDS = sorted(SETTINGS)


def make_features(folder: Path) -> Path:
    """Features of patches whose label depends on the first columns, and the folds."""
    random = np.random.default_rng(0)
    values = random.normal(size=(PATCHES + TEST_PATCHES, len(COLUMNS)))
    ids = [f"ID_{number:04d}" for number in range(len(values))]
    labels = (values[:, :3].sum(axis=1) + 0.3 * random.normal(size=len(values)) > 1.2).astype("i1")
    table = pd.DataFrame(values, columns=COLUMNS)
    table.insert(0, "id", ids)
    # Features stand in another order than the folds: only ids tie them.
    train = table[:PATCHES].sample(frac=1, random_state=1)
    write_parquet(folder / "train.parquet", train)
    write_parquet(folder / "test.parquet", table[PATCHES:])
    folds = pd.DataFrame(
        {"id": ids[:PATCHES], "fold": np.arange(PATCHES) % FOLDS, "label": labels[:PATCHES]}
    )
    write_parquet(folder / "folds.parquet", folds, {"split_digest": split_digest(folds)})
    return folder


def train(done: Path, target: Path, kind: str, **changes: Any) -> Path:
    """Train with `changes` to the arguments; gives the path of model.json."""
    arguments: dict[str, Any] = {
        "settings": SETTINGS[kind],
        "features": done / "train.parquet",
        "folds": done / "folds.parquet",
        "fold": 1,
        "seed": 42,
        "threads": 1,
        "gpu": False,
        "model": kind,
    }
    files = {
        "weights": target / f"model{TREES[kind].suffix}",
        "description": target / "model.json",
        "oof": target / "oof.parquet",
        "history": target / "history.parquet",
        "importance": target / "importance.parquet",
        "cost": target / "cost.json",
    }
    changed = {name: changes.get(name, value) for name, value in arguments.items()}
    train_trees(
        TreeTraining(**changed),
        TreeOutputs(**{name: changes.get(name, path) for name, path in files.items()}),
    )
    return target / "model.json"
