"""LightGBM: trained, stored as its text, loaded only as it was stored."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from landslip.io.arrays import Floats
from landslip.models.boosting import Evaluate, Task, evaluated_rounds
from landslip.models.lightgbm_text import checked_lightgbm
from landslip.models.settings import LightGBM
from landslip.models.tree_checks import NotTreesError

if TYPE_CHECKING:
    import lightgbm

# Trees of LightGBM that all patches go through before the next ones: they stay in the processor's
# cache. A patch at a time through 12,000 trees took 1.8 times as long (benchmarks/trees.py), and
# more than 4 times beside programs that wanted the cache too.
_TREES_AT_ONCE = 250


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


def load(data: bytes, columns: Sequence[str]) -> LightGBMTrees:
    """See Library."""
    text = checked_lightgbm(data, columns).decode("utf-8")
    import lightgbm

    try:
        return LightGBMTrees(lightgbm.Booster(model_str=text))
    except lightgbm.basic.LightGBMError as error:
        raise NotTreesError(str(error)) from error


def fit(task: Task[LightGBM], evaluate: Evaluate) -> LightGBMTrees:
    """See Library."""
    import lightgbm

    settings = task.settings
    parameters = {
        "objective": "binary",
        "metric": "None",
        "boosting": "gbdt",
        "num_leaves": settings.leaves,
        "min_data_in_leaf": settings.min_data_in_leaf,
        "max_depth": settings.max_depth,
        "learning_rate": settings.learning_rate,
        "bagging_fraction": settings.subsample,
        "bagging_freq": 1,  # without it bagging_fraction is ignored
        "feature_fraction": settings.colsample,
        "scale_pos_weight": settings.positive_weight,
        "lambda_l2": settings.l2,
        "seed": task.seed,
        "deterministic": True,
        # One thread sums one column's histogram, so sums do not depend on how many threads there
        # are; row-wise histograms are summed in blocks of which there are as many as threads.
        "force_col_wise": True,
        "num_threads": task.threads,
        "verbosity": -1,
    }
    train, held_out = task.train, task.validation
    data = lightgbm.Dataset(
        train.features, train.labels, feature_name=list(task.columns), params=parameters
    )
    held_out_data = lightgbm.Dataset(
        held_out.features, held_out.labels, reference=data, params=parameters
    )
    booster = lightgbm.Booster(parameters, data)
    booster.add_valid(held_out_data, "validation")
    probabilities: list[Floats] = []

    def keep(predicted: Floats, _: lightgbm.Dataset) -> tuple[str, float, bool]:
        """Take the scores that LightGBM holds anyway, instead of predicting again."""
        probabilities.append(np.array(predicted, dtype=np.float64))
        return "", 0.0, True

    evaluated = evaluated_rounds(settings.trees)
    for step in range(1, settings.trees + 1):
        booster.update()
        if step in evaluated:
            probabilities.clear()
            booster.eval_train(keep)
            booster.eval_valid(keep)
            evaluate(step, probabilities[0], probabilities[1])
    return LightGBMTrees(booster)
