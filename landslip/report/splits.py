"""What a random split of neighbouring patches would have flattered, and how far patches are alike.

Trees of one small setting are cross-fitted with several splits of the same patches: at random, by
the folds in force, and scene by scene. They are quick, and what a split lets through reaches them
as it reaches every model.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from landslip.data.folds import read_folds
from landslip.ensemble import metrics
from landslip.ensemble.bootstrap import Metric
from landslip.ensemble.differences import estimate
from landslip.ensemble.threshold import cross_fit
from landslip.io.arrays import Floats, Labels
from landslip.io.files import read_metadata, read_parquet, write_json
from landslip.models.boosting import Examples, Task
from landslip.models.seeds import derive_seed
from landslip.models.settings import LightGBM
from landslip.models.tree_libraries import fit
from landslip.report.variogram import reach, variogram

logger = logging.getLogger(__name__)

Folds = NDArray[np.int64]

RANDOM, FORCE, SCENE = "random", "in force", "scene"
_FLATTERY = "random less in force"
_METRICS = ("f1", "auc")
# Patches, at most: of each fold whole groups, so that neighbours stay together.
_MOST = 20000
# Folds of whole scenes, at most.
_MOST_SCENES = 10
_SETTINGS = {
    "kind": "lightgbm", "trees": 150, "learning_rate": 0.08, "leaves": 15, "min_data_in_leaf": 10,
    "max_depth": 6, "subsample": 0.8, "colsample": 0.3,
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Patches:
    """Training patches from scenes."""

    features: Floats
    """(n, column)"""
    columns: list[str]
    labels: Labels
    """(n,) 0 or 1."""
    fold: Folds
    """(n,) in force."""
    group: NDArray[np.int64]
    """(n,) number of what the folds keep together."""
    scene: NDArray[np.int64]
    """(n,) number."""
    place: Floats
    """(n, 2) metres."""
    part: NDArray[np.int64]
    """(n,) number of a scene in one coordinate system, inside of which distances are taken."""


def compare_splits(
    *,
    features: Path,
    folds: Path,
    manifest: Path,
    resamples: int,
    seed: int,
    threads: int,
    target: Path,
) -> None:
    """Cross-fit trees with several splits, and measure how alike neighbours are.

    Parameters
    ----------
    features
        features/train.parquet.
    folds, manifest
        Of the data stage; patches from scenes.
    resamples
        Of the bootstrap, which draws groups, as patches of one are no independent ones.
    seed
        The run's.
    threads
        CPU threads of the trees; the result does not depend on them.
    target
        JSON: patches, used, groups, scenes, scheme, rows (split, folds, f1, auc; each with value,
        low and high), flattery (random less in force), variogram (distance in m, pairs, label and
        residual as shares of their variance), reach (m; null: not reached).
    """
    table, scheme = _read(features, folds, manifest)
    used = _some_groups(table, seed)
    logger.info("%d of %d patches, in %d groups", len(used), len(table), used["group"].nunique())
    patches = _patches(used)
    splits = {RANDOM: _random_folds(patches, seed), FORCE: patches.fold}
    if len(np.unique(patches.scene)) > 1 and scheme not in ("scene", "event"):
        splits[SCENE] = patches.scene % _MOST_SCENES
    answers = {name: cross_predict(patches, fold, seed, threads) for name, fold in splits.items()}
    rows, flattery = score_splits(
        patches.labels, patches.group, splits, answers, resamples=resamples, seed=seed
    )
    curve = variogram(patches.place, patches.part, patches.labels, answers[FORCE], seed)
    write_json(
        target,
        {
            "patches": len(table),
            "used": len(used),
            "groups": len(np.unique(patches.group)),
            "scenes": len(np.unique(patches.scene)),
            "scheme": scheme,
            "rows": rows,
            "flattery": flattery,
            "variogram": curve,
            "reach": reach(curve),
        },
    )


def _read(features: Path, folds: Path, manifest: Path) -> tuple[pd.DataFrame, str]:
    """Features, fold, label, group, scene and place of each training patch, and the scheme."""
    split, _ = read_folds(folds)
    place = read_parquet(manifest, ["id", "group", "scene", "x", "y", "crs"]).set_index("id")
    values = read_parquet(features).set_index("id")
    table = split.set_index("id").join(place).join(values)
    return table.reset_index(drop=True), str(read_metadata(folds).get("scheme", "kfold"))


def _some_groups(table: pd.DataFrame, seed: int) -> pd.DataFrame:
    """All patches, or of more than `_MOST` those of groups drawn at random in each fold.

    Where the first group of a fold is larger than the fold's part, patches are drawn from it.
    """
    if len(table) <= _MOST:
        return table
    random = np.random.default_rng(derive_seed(seed, "splits", 0))
    quota, drawn = _MOST // table["fold"].nunique(), []
    for _, fold in table.groupby("fold"):
        sizes = fold["group"].value_counts().sort_index()
        order = random.permutation(sizes.index)
        taken = order[: max(int((sizes[order].cumsum() <= quota).sum()), 1)]
        own = fold[fold["group"].isin(taken)]
        drawn.append(own if len(own) <= quota else own.sample(quota, random_state=random))
    return pd.concat(drawn).sort_index()


def _patches(table: pd.DataFrame) -> Patches:
    own = ["fold", "label", "group", "scene", "x", "y", "crs"]
    columns = [name for name in table.columns if name not in own]
    numbers = {name: pd.factorize(table[name])[0].astype(np.int64) for name in own}
    return Patches(
        features=table[columns].to_numpy(np.float64),
        columns=columns,
        labels=table["label"].to_numpy(np.int8),
        fold=numbers["fold"],
        group=numbers["group"],
        scene=numbers["scene"],
        place=table[["x", "y"]].to_numpy(np.float64),
        part=pd.factorize(table["scene"].astype(str) + table["crs"])[0].astype(np.int64),
    )


def _random_folds(patches: Patches, seed: int) -> Folds:
    """As many folds as in force, at random with an equal share of landslides in each."""
    from sklearn.model_selection import StratifiedKFold

    count = len(np.unique(patches.fold))
    splitter = StratifiedKFold(count, shuffle=True, random_state=derive_seed(seed, "splits", 1))
    fold = np.zeros(len(patches.labels), np.int64)
    for number, (_, held) in enumerate(splitter.split(patches.features, patches.labels)):
        fold[held] = number
    return fold


def cross_predict(patches: Patches, fold: Folds, seed: int, threads: int) -> Floats:
    """Probability (n,) of each patch by trees that saw no patch of its fold.

    Where the others hold one class alone it is the share of that class.
    """
    probability = np.zeros(len(patches.labels))
    settings = LightGBM.model_validate({**_SETTINGS, "inputs": ["channels"]})
    for number in np.unique(fold):
        held = fold == number
        learned = Examples(patches.features[~held], patches.labels[~held])
        if len(np.unique(learned.labels)) < 2:
            probability[held] = learned.labels.mean() if len(learned.labels) else 0.5
            continue
        task = Task(
            settings=settings,
            columns=patches.columns,
            train=learned,
            validation=Examples(patches.features[held], patches.labels[held]),
            seed=derive_seed(seed, "splits", 2),
            threads=threads,
            gpu=False,
        )
        trees = fit(task, lambda *_: None)
        probability[held] = trees.predict(task.validation.features, threads)
    return probability


def score_splits(
    labels: Labels,
    group: NDArray[np.int64],
    splits: Mapping[str, Folds],
    answers: Mapping[str, Floats],
    *,
    resamples: int,
    seed: int,
) -> tuple[list[dict[str, Any]], dict[str, dict[str, float]]]:
    """F1 and AUC of each split, and what the random one has more than the one in force.

    Returns
    -------
    rows : list
        split, folds, f1, auc (value, low, high).
    flattery : dict
        f1, auc: the difference, on the same resamples.

    Notes
    -----
    F1 is cross-fitted: each fold at the threshold that is best on the others. Groups are drawn with
    replacement, whole, which gives wider intervals than drawing patches.
    """
    functions: dict[tuple[str, str], Metric] = {}
    for name, probability in answers.items():
        landslide = cross_fit(labels, probability, splits[name]).landslide
        functions[name, "f1"] = partial(metrics.f1, labels, landslide)
        functions[name, "auc"] = partial(metrics.auc, labels, probability)
    for each in _METRICS:
        functions[_FLATTERY, each] = partial(
            _difference, functions[RANDOM, each], functions[FORCE, each]
        )
    found = estimate(
        {key: partial(_of_groups, function, group) for key, function in functions.items()},
        int(group.max()) + 1,
        resamples=resamples,
        seed=seed,
    )
    measured = {
        name: {each: found[name, each].to_json() for each in _METRICS}
        for name in (*answers, _FLATTERY)
    }
    rows = [
        {"split": name, "folds": len(np.unique(splits[name])), **measured[name]} for name in answers
    ]
    return rows, measured[_FLATTERY]


def _of_groups(function: Metric, group: NDArray[np.int64], drawn: Floats) -> Floats:
    """A measure where each patch counts as often as its group."""
    return function(drawn[:, group])


def _difference(first: Metric, second: Metric, weights: Floats) -> Floats:
    return first(weights) - second(weights)
