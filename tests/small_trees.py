"""Features of a few patches, and small tree models trained on them."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from landslip.data.folds import split_digest
from landslip.files import file_digest, write_parquet
from landslip.models.boosting import TreeSettings
from landslip.models.finished import SUFFIX
from landslip.models.tree_files import SUFFIXES
from landslip.models.trees import train_trees

PATCHES, TEST_PATCHES, FOLDS = 300, 40, 3
COLUMNS = [f"band{channel}_{name}" for channel in range(10) for name in ("mean", "std")]
SHARED = {"trees": 30, "max_depth": 4, "subsample": 0.7, "colsample": 0.6, "l2": 0.3}
SETTINGS = {
    "lightgbm": TreeSettings(
        kind="lightgbm", learning_rate=0.1, leaves=12, positive_weight=1.5, **SHARED
    ),
    "xgboost": TreeSettings(kind="xgboost", learning_rate=0.2, positive_weight=1.5, **SHARED),
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


def train(study: Path, target: Path, kind: str, **changes: Any) -> Path:
    """Train with `changes` to the arguments; gives the path of model.json."""
    arguments: dict[str, Any] = {
        "settings": SETTINGS[kind],
        "columns": COLUMNS,
        "features": (study / "train.parquet", file_digest(study / "train.parquet")),
        "folds": study / "folds.parquet",
        "fold": 1,
        "seed": 42,
        "code": "code",
        "threads": 1,
        "gpu": False,
        "model": kind,
        "weights": target / f"model{SUFFIXES[kind]}",
        "description": target / "model.json",
        "oof": target / "oof.parquet",
        "history": target / "history.parquet",
        "importance": target / "importance.parquet",
        "cost": target / "cost.json",
        "finished": target / f"kept{SUFFIX}",
    }
    train_trees(**(arguments | changes))
    return target / "model.json"
