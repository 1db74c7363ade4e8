"""The ensemble's tables of predictions, as arrays."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field

from landslip.ensemble.calibration import Method
from landslip.ensemble.choice import RuleChoice
from landslip.ensemble.records import RuleInForce
from landslip.ensemble.rules import Fit
from landslip.io.arrays import Floats
from landslip.io.files import (
    InputError,
    read_metadata,
    read_parquet,
    require_columns,
    write_parquet,
)
from landslip.io.records import Probability, parse_record
from landslip.models.predictions import OOF_COLUMNS, require_patches

# Of each fold, by its number.
_THRESHOLDS = dict[Annotated[str, Field(pattern=r"^[0-9]{1,9}$")], Probability]

TEST_COLUMNS = ("id", "probability", "landslide")


@dataclass(frozen=True, kw_only=True)
class EnsembleOof:
    """ensemble/oof.parquet; all arrays (n,)."""

    ids: list[str]
    fold: NDArray[np.int64]
    labels: NDArray[np.int8]
    probability: Floats
    """Of the ensemble: of every fold by a rule that was fitted on the other folds."""
    members: dict[str, Floats]
    """Of each member."""
    split_digest: str
    rule: dict[str, Any]
    """The rule in force, as `RuleChoice.to_json` says it."""
    thresholds: dict[int, float]
    """Of each fold, chosen on the other folds with their rule."""

    @property
    def way(self) -> tuple[Fit, Method]:
        """How the rule in force is fitted, and how its members are calibrated."""
        return self.rule["fit"], self.rule["fitted"]["calibration"]

    @property
    def landslide(self) -> NDArray[np.bool_]:
        """(n,): decisions of the ensemble by what the other folds alone taught."""
        decided = np.zeros(len(self.labels), dtype=np.bool_)
        for number, threshold in self.thresholds.items():
            own = self.fold == number
            decided[own] = self.probability[own] > threshold
        return decided


@dataclass(frozen=True, kw_only=True)
class LabelledTest:
    """Those patches of ensemble/test.parquet whose label is known; all arrays (n,)."""

    labels: NDArray[np.int8]
    probability: Floats
    """Of the ensemble; NaN where a patch has no prediction, as in `landslide` and `members`."""
    landslide: Floats
    """1 or 0, the decision in force: of patches that lack sensors, by a threshold of their own."""
    members: dict[str, Floats]
    unlabelled: int
    """How many test patches have no label."""


def write_ensemble_oof(
    target: Path, *, split: pd.DataFrame, members: Mapping[str, Floats], choice: RuleChoice,
    split_digest: str,
) -> None:  # fmt: skip
    """Write the members' OOF predictions side by side, and what the rule in force makes of them.

    Parameters
    ----------
    target
        ensemble/oof.parquet.
    split
        id, fold, label: (n,).
    members
        Name -> (n,).
    choice
        Made from them.
    split_digest
        Of the folds.
    """
    frame = pd.DataFrame(
        {
            "id": split["id"].to_numpy(),
            "fold": split["fold"].to_numpy(dtype=np.int64),
            "label": split["label"].to_numpy(dtype=np.int8),
            "probability": choice.crossed.probability,
            **members,
        }
    )
    metadata = {
        "split_digest": split_digest,
        "rule": json.dumps(choice.to_json(), allow_nan=False),
        "thresholds": json.dumps({str(k): v for k, v in choice.crossed.thresholds.items()}),
    }
    write_parquet(target, frame, metadata)


def read_ensemble_oof(path: Path) -> EnsembleOof:
    """Read what `write_ensemble_oof` wrote.

    Raises
    ------
    InputError
        The file is damaged, empty, or lacks a column.
    """
    frame = read_parquet(path)
    require_columns(path, frame.columns, OOF_COLUMNS)
    if len(frame) == 0:
        raise InputError(f"{path} has no rows; delete it and run again")
    members = [name for name in frame.columns if name not in OOF_COLUMNS]
    metadata = read_metadata(path)
    thresholds = parse_record(metadata.get("thresholds", ""), _THRESHOLDS, path)
    return EnsembleOof(
        ids=frame["id"].tolist(),
        fold=frame["fold"].to_numpy(dtype=np.int64),
        labels=frame["label"].to_numpy(dtype=np.int8),
        probability=frame["probability"].to_numpy(dtype=np.float64),
        members={name: frame[name].to_numpy(dtype=np.float64) for name in members},
        split_digest=metadata.get("split_digest", ""),
        rule=parse_record(metadata.get("rule", ""), RuleInForce, path),
        thresholds={int(fold): threshold for fold, threshold in thresholds.items()},
    )


def read_labelled(path: Path, manifest: Path) -> LabelledTest:
    """Read what `landslip.ensemble.predict.predict_test` wrote of patches that have a label.

    Raises
    ------
    InputError
        A file is damaged or lacks a column, or they list other test patches.
    """
    frame = read_parquet(path)
    require_columns(path, frame.columns, TEST_COLUMNS)
    listed = read_parquet(manifest, ["id", "split", "label"])
    asked = listed[listed["split"] == "test"]
    require_patches(path, frame["id"].tolist(), asked["id"].tolist())
    known = asked["label"].notna().to_numpy()
    frame = frame[known]
    members = [name for name in frame.columns if name not in TEST_COLUMNS]
    return LabelledTest(
        labels=asked["label"][known].to_numpy(dtype=np.int8),
        probability=frame["probability"].to_numpy(dtype=np.float64),
        landslide=frame["landslide"].to_numpy(dtype=np.float64, na_value=np.nan),
        members={name: frame[name].to_numpy(dtype=np.float64) for name in members},
        unlabelled=int((~known).sum()),
    )
