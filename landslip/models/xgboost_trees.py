"""XGBoost: trained, stored as UBJ, loaded only as it was stored."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from landslip.io.arrays import Floats
from landslip.io.files import InputError
from landslip.models.boosting import Evaluate, Task, evaluated_rounds
from landslip.models.settings import XGBoost
from landslip.models.tree_checks import NotTreesError
from landslip.models.xgboost_ubj import checked_xgboost

if TYPE_CHECKING:
    import xgboost


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
        # XGBoost types a score as a number or, for linear boosters only, as a list.
        gain: dict[str, Any] = self.booster.get_score(importance_type="total_gain")
        splits: dict[str, Any] = self.booster.get_score(importance_type="weight")
        return pd.DataFrame(
            {
                "feature": self.columns,
                "gain": [float(gain.get(name, 0.0)) for name in self.columns],
                "splits": [int(splits.get(name, 0)) for name in self.columns],
            }
        )

    @property
    def columns(self) -> list[str]:
        """See Trees."""
        return list(self.booster.feature_names or [])


def load(data: bytes, columns: Sequence[str]) -> XGBoostTrees:
    """See Library."""
    checked = bytearray(checked_xgboost(data, columns))
    import xgboost

    booster = xgboost.Booster()
    try:
        booster.load_model(checked)
    except xgboost.core.XGBoostError as error:
        raise NotTreesError(str(error)) from error
    return XGBoostTrees(booster)


def fit(task: Task[XGBoost], evaluate: Evaluate) -> XGBoostTrees:
    """See Library."""
    import xgboost

    settings = task.settings
    device = "cuda" if task.gpu else "cpu"
    parameters = {
        "objective": "binary:logistic",
        "booster": "gbtree",
        "tree_method": "hist",
        "device": device,
        "max_depth": settings.max_depth,
        "min_child_weight": settings.min_child_weight,
        "eta": settings.learning_rate,
        "subsample": settings.subsample,
        "colsample_bytree": settings.colsample,
        "scale_pos_weight": settings.positive_weight,
        "reg_lambda": settings.l2,
        "seed": task.seed,
        "nthread": task.threads,
    }
    named = {"feature_names": list(task.columns), "nthread": task.threads}
    data = xgboost.DMatrix(task.train.features, task.train.labels, **named)
    held_out = xgboost.DMatrix(task.validation.features, **named)
    booster = xgboost.Booster(parameters, cache=[data, held_out])
    # XGBoost falls back to the CPU with no more than a warning.
    used = json.loads(booster.save_config())["learner"]["generic_param"]["device"]
    if not used.startswith(device):
        raise InputError(
            f"XGBoost was asked to train on {device} and would train on {used}: no usable GPU here;"
            " ask for no GPU (gpu=0)"
        )
    evaluated = evaluated_rounds(settings.trees)
    for step in range(1, settings.trees + 1):
        booster.update(data, step - 1)
        if step in evaluated:  # both matrices' scores are cached, only new trees are applied
            evaluate(
                step,
                booster.predict(data).astype(np.float64),
                booster.predict(held_out).astype(np.float64),
            )
    return XGBoostTrees(booster)
