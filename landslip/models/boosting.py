"""Gradient boosted trees in memory: LightGBM and XGBoost behind one set of neutral settings.

Both are deterministic: with the same data, settings and seed the stored bytes are the same for
any number of threads. Each library is imported only where it is used, so that neither needs the
other.
"""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from landslip.files import InputError
from landslip.models.lightgbm_text import checked_lightgbm
from landslip.models.tree_checks import NotTreesError
from landslip.models.xgboost_ubj import checked_xgboost

if TYPE_CHECKING:
    import lightgbm
    import xgboost

Floats = NDArray[np.float64]
# Called with (round, training probabilities, validation probabilities).
Watch = Callable[[int, Floats, Floats], None]

# Trees of LightGBM that all patches go through before the next ones: they stay in the processor's
# cache. A patch at a time through 12,000 trees took 1.8 times as long (benchmarks/trees.py), and
# more than 4 times beside programs that wanted the cache too.
_TREES_AT_ONCE = 250


@dataclass(frozen=True, kw_only=True)
class TreeSettings:
    """Hyperparameters under the names of the config."""

    kind: Literal["lightgbm", "xgboost"]
    trees: int
    """Boosting rounds; there is no early stopping."""
    learning_rate: float
    max_depth: int
    """-1 is no limit for LightGBM, 0 for XGBoost."""
    subsample: float
    """Share of the rows, drawn anew for every tree."""
    colsample: float
    """Share of the columns, drawn anew for every tree."""
    positive_weight: float = 1.0
    """Weight of a landslide patch in the loss."""
    l2: float = 0.0
    """L2 penalty on leaf values."""
    leaves: int | None = None
    """Most leaves of a tree; LightGBM only."""
    min_data_in_leaf: int | None = None
    """Fewest patches of a leaf; LightGBM only."""
    min_child_weight: float | None = None
    """Least sum of p (1 - p) over the patches of a leaf; XGBoost only."""


@dataclass(frozen=True)
class Examples:
    """Patches to learn from or to be measured on."""

    features: Floats
    """(n, column)"""
    labels: NDArray[np.int8]
    """(n,), 0 or 1"""


class Trees(Protocol):
    """A trained model."""

    def predict(self, features: Floats, threads: int) -> Floats:
        """Probability of a landslide, (n,), for features (n, column)."""

    def to_bytes(self) -> bytes:
        """The library's own file format: LightGBM text or XGBoost UBJ."""

    def importance(self) -> pd.DataFrame:
        """feature, gain (total loss reduction), splits (their number), in order of columns."""

    @property
    def columns(self) -> list[str]:
        """Names of the features, in order."""


def watched_rounds(trees: int, most: int = 200) -> frozenset[int]:
    """At most `most` rounds, evenly spaced, the first and the last among them."""
    return frozenset(np.linspace(1, trees, min(trees, most)).round().astype(int).tolist())


def fit(
    settings: TreeSettings,
    train: Examples,
    validation: Examples,
    *,
    columns: Sequence[str],
    seed: int,
    threads: int,
    gpu: bool,
    watch: Watch,
) -> Trees:
    """Boost `settings.trees` rounds; `watch` is called at the rounds of `watched_rounds`.

    The validation patches are only watched: nothing is chosen by them.

    Raises
    ------
    InputError
        A GPU is asked for that the library cannot use.
    """
    if settings.kind == "lightgbm":
        if gpu:
            raise InputError("LightGBM trains on the CPU here; ask for no GPU (gpu=0)")
        return _fit_lightgbm(settings, train, validation, columns, seed, threads, watch)
    return _fit_xgboost(settings, train, validation, columns, seed, threads, gpu, watch)


def load(kind: str, data: bytes, columns: Sequence[str]) -> Trees:
    """The model over `columns` whose `to_bytes` gave `data`, for prediction.

    Raises
    ------
    NotTreesError
        `data` is no such model; no library has seen it then.
    """
    if kind == "lightgbm":
        text = checked_lightgbm(data, columns).decode("utf-8")
        import lightgbm

        try:
            return LightGBMTrees(lightgbm.Booster(model_str=text))
        except lightgbm.basic.LightGBMError as error:
            raise NotTreesError(str(error)) from error
    checked = bytearray(checked_xgboost(data, columns))
    import xgboost

    booster = xgboost.Booster()
    try:
        booster.load_model(checked)
    except xgboost.core.XGBoostError as error:
        raise NotTreesError(str(error)) from error
    return XGBoostTrees(booster)


@dataclass(frozen=True)
class LightGBMTrees:
    """A LightGBM model."""

    booster: "lightgbm.Booster"

    def predict(self, features: Floats, threads: int) -> Floats:
        """See Trees."""
        raw = np.zeros(len(features))
        for first in range(0, self.booster.num_trees(), _TREES_AT_ONCE):
            part = self.booster.predict(
                features,
                raw_score=True,
                start_iteration=first,
                num_iteration=_TREES_AT_ONCE,
                num_threads=threads,
            )
            raw += np.asarray(part)
        with np.errstate(over="ignore"):  # of a raw score below -709 the probability is 0
            probability: Floats = 1 / (1 + np.exp(-raw))
        return probability

    def to_bytes(self) -> bytes:
        """See Trees."""
        # The text repeats the training parameters; threads are not part of the model.
        text = self.booster.model_to_string(num_iteration=-1)
        return re.sub(r"\[num_threads: \d+\]", "[num_threads: 0]", text).encode("utf-8")

    def importance(self) -> pd.DataFrame:
        """See Trees."""
        return pd.DataFrame(
            {
                "feature": self.columns,
                "gain": self.booster.feature_importance("gain").astype(np.float64),
                "splits": self.booster.feature_importance("split").astype(np.int64),
            }
        )

    @property
    def columns(self) -> list[str]:
        """See Trees."""
        return list(self.booster.feature_name())


@dataclass(frozen=True)
class XGBoostTrees:
    """An XGBoost model."""

    booster: "xgboost.Booster"

    def predict(self, features: Floats, threads: int) -> Floats:
        """See Trees."""
        import xgboost

        self.booster.set_param({"nthread": threads})
        matrix = xgboost.DMatrix(features, feature_names=self.columns, nthread=threads)
        return self.booster.predict(matrix).astype(np.float64)

    def to_bytes(self) -> bytes:
        """See Trees."""
        return bytes(self.booster.save_raw(raw_format="ubj"))

    def importance(self) -> pd.DataFrame:
        """See Trees."""
        gain = self.booster.get_score(importance_type="total_gain")
        splits = self.booster.get_score(importance_type="weight")
        return pd.DataFrame(
            {
                "feature": self.columns,
                "gain": [float(_scalar(gain.get(name, 0.0))) for name in self.columns],
                "splits": [int(_scalar(splits.get(name, 0))) for name in self.columns],
            }
        )

    @property
    def columns(self) -> list[str]:
        """See Trees."""
        return list(self.booster.feature_names or [])


def _scalar(score: Any) -> float:
    """XGBoost types a score as a number or, for linear boosters only, as a list."""
    return float(score)


def _fit_lightgbm(
    settings: TreeSettings,
    train: Examples,
    validation: Examples,
    columns: Sequence[str],
    seed: int,
    threads: int,
    watch: Watch,
) -> LightGBMTrees:
    import lightgbm

    parameters = {
        "objective": "binary",
        "metric": "None",
        "boosting": "gbdt",
        "num_leaves": settings.leaves if settings.leaves is not None else 31,
        "min_data_in_leaf": (
            settings.min_data_in_leaf if settings.min_data_in_leaf is not None else 20
        ),
        "max_depth": settings.max_depth,
        "learning_rate": settings.learning_rate,
        "bagging_fraction": settings.subsample,
        "bagging_freq": 1,  # without it bagging_fraction is ignored
        "feature_fraction": settings.colsample,
        "scale_pos_weight": settings.positive_weight,
        "lambda_l2": settings.l2,
        "seed": seed,
        "deterministic": True,
        # One thread sums one column's histogram, so sums do not depend on how many threads there
        # are; row-wise histograms are summed in blocks of which there are as many as threads.
        "force_col_wise": True,
        "num_threads": threads,
        "verbosity": -1,
    }
    names = list(columns)
    data = lightgbm.Dataset(train.features, train.labels, feature_name=names, params=parameters)
    held_out = lightgbm.Dataset(
        validation.features, validation.labels, reference=data, params=parameters
    )
    booster = lightgbm.Booster(parameters, data)
    booster.add_valid(held_out, "validation")
    probabilities: list[Floats] = []

    def keep(predicted: Floats, _: lightgbm.Dataset) -> tuple[str, float, bool]:
        """Take the scores that LightGBM holds anyway, instead of predicting again."""
        probabilities.append(np.array(predicted, dtype=np.float64))
        return "", 0.0, True

    watched = watched_rounds(settings.trees)
    for step in range(1, settings.trees + 1):
        booster.update()
        if step in watched:
            probabilities.clear()
            booster.eval_train(keep)
            booster.eval_valid(keep)
            watch(step, probabilities[0], probabilities[1])
    return LightGBMTrees(booster)


def _fit_xgboost(
    settings: TreeSettings,
    train: Examples,
    validation: Examples,
    columns: Sequence[str],
    seed: int,
    threads: int,
    gpu: bool,
    watch: Watch,
) -> XGBoostTrees:
    import xgboost

    device = "cuda" if gpu else "cpu"
    parameters = {
        "objective": "binary:logistic",
        "booster": "gbtree",
        "tree_method": "hist",
        "device": device,
        "max_depth": settings.max_depth,
        "min_child_weight": (
            settings.min_child_weight if settings.min_child_weight is not None else 1
        ),
        "eta": settings.learning_rate,
        "subsample": settings.subsample,
        "colsample_bytree": settings.colsample,
        "scale_pos_weight": settings.positive_weight,
        "reg_lambda": settings.l2,
        "seed": seed,
        "nthread": threads,
    }
    names = list(columns)
    data = xgboost.DMatrix(train.features, train.labels, feature_names=names, nthread=threads)
    held_out = xgboost.DMatrix(validation.features, feature_names=names, nthread=threads)
    booster = xgboost.Booster(parameters, cache=[data, held_out])
    # XGBoost falls back to the CPU with no more than a warning.
    used = json.loads(booster.save_config())["learner"]["generic_param"]["device"]
    if not used.startswith(device):
        raise InputError(
            f"XGBoost was asked to train on {device} and would train on {used}: no usable GPU here;"
            " ask for no GPU (gpu=0)"
        )
    watched = watched_rounds(settings.trees)
    for step in range(1, settings.trees + 1):
        booster.update(data, step - 1)
        if step in watched:  # both matrices' scores are cached, only new trees are applied
            watch(
                step,
                booster.predict(data).astype(np.float64),
                booster.predict(held_out).astype(np.float64),
            )
    return XGBoostTrees(booster)
