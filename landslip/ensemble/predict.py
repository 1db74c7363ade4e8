"""The ensemble's answer for every test patch."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from landslip.ensemble.average import average
from landslip.ensemble.fewer_sensors import FewerSensors
from landslip.ensemble.records import CombinationRecord, read_threshold
from landslip.ensemble.rules import FittedRule
from landslip.ensemble.sensors import member_of
from landslip.io.files import InputError, read_parquet, write_parquet
from landslip.models.predictions import check_origin, read_test, require_patches


def predict_test(
    *,
    members: Mapping[str, Sequence[Path]],
    manifest: Path,
    threshold: Path,
    fewer: FewerSensors,
    target: Path,
) -> None:
    """Average the members' test predictions over folds, combine them by the rule, and decide.

    Parameters
    ----------
    members
        Name of each member -> test.parquet of each of its folds.
    manifest
        manifest.parquet: the test patches, in order, and whether they could be read.
    threshold
        threshold.json: the rule, and the threshold above which is a landslide; its split is the
        files' split.
    fewer
        Rule and threshold of patches that lack sensors.
    target
        ensemble/test.parquet: id, probability, landslide, and a column for each member; every
        test patch in the manifest's order, null where the patch has no data. Where a patch lacks a
        sensor that a member needs, the member's column says what it made of what was filled in,
        which counts for nothing; where no member can do without, the other columns are null.

    Raises
    ------
    InputError
        A file does not hold the readable test patches, each once and in the manifest's order; a
        probability is NaN or outside [0, 1]; a file is of another split or another model;
        the rule is of other members. The message names the file and the first patch.
    """
    chosen = read_threshold(threshold)
    rule = FittedRule.from_json(chosen["rule"]["fitted"])
    if rule.members != tuple(members):
        raise InputError(
            f"{threshold} combines {', '.join(rule.members)}, not {', '.join(members)}; delete it "
            "and run again"
        )
    listed = read_parquet(manifest, ["id", "split", "status", "missing"])
    asked = listed[listed["split"] == "test"]
    readable = (asked["status"] == "ok").to_numpy()
    ids = asked["id"][readable].tolist()
    scores = {
        name: average(np.stack([_read(path, name, chosen["split_digest"], ids) for path in paths]))
        for name, paths in members.items()
    }
    probability = rule.apply(np.stack(list(scores.values()), axis=1))
    above = np.full(len(ids), chosen["threshold"])
    missing = asked["missing"][readable].to_numpy(object)
    for lacking in pd.unique(missing[missing != ""]):
        rows = missing == lacking
        probability[rows], above[rows] = _with_fewer(fewer.find(lacking), scores, rows)
    # A comparison with NaN would say 0: a patch without an answer is neither.
    landslide = np.where(np.isnan(probability), np.nan, probability > above)
    columns = {"probability": probability, "landslide": landslide, **scores}
    frame = pd.DataFrame({name: _spread(found, readable) for name, found in columns.items()})
    frame["landslide"] = frame["landslide"].astype("Int8")
    frame.insert(0, "id", asked["id"].to_numpy())
    write_parquet(target, frame.astype({"id": "str"}))


def _read(path: Path, model: str, split_digest: str, ids: Sequence[str]) -> NDArray[np.float64]:
    """What one fold of a member predicts for these patches, (n,)."""
    predictions = read_test(path)
    check_origin(path, predictions, model, split_digest)
    require_patches(path, predictions.frame["id"].tolist(), ids)
    return predictions.frame["probability"].to_numpy(dtype=np.float64)


def _with_fewer(
    found: CombinationRecord | None,
    scores: Mapping[str, NDArray[np.float64]],
    rows: NDArray[np.bool_],
) -> tuple[NDArray[np.float64] | float, float]:
    """Probability of some patches by the members that can answer, and their threshold."""
    if found is None:
        return np.nan, np.nan
    own = np.stack([scores[member_of(column)][rows] for column in found["columns"]], axis=1)
    return FittedRule.from_json(found["rule"]).apply(own), found["threshold"]


def _spread(values: NDArray[np.float64], where: NDArray[np.bool_]) -> NDArray[np.float64]:
    """The values at the places that are true, NaN at the others."""
    spread = np.full(len(where), np.nan)
    spread[where] = values
    return spread
