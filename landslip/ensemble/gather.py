"""Bring the members' OOF predictions together, each patch once, or refuse; never drop a row."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from landslip.data.folds import read_folds
from landslip.ensemble.calibration import Method
from landslip.ensemble.choice import choose_rule
from landslip.ensemble.rules import Rule
from landslip.ensemble.tables import write_ensemble_oof
from landslip.io.arrays import Floats
from landslip.io.files import InputError
from landslip.models.predictions import check_origin, format_ids, read_oof

logger = logging.getLogger(__name__)


def gather_oof(
    *,
    members: Mapping[str, Sequence[Path]],
    folds: Path,
    rule: Literal["auto"] | Rule,
    calibration: Literal["auto"] | Method,
    bootstrap: int,
    seed: int,
    target: Path,
) -> None:
    """Put the members' OOF predictions side by side, and choose the rule that combines them.

    Parameters
    ----------
    members
        Name of each member -> oof.parquet of each of its folds, in any order.
    folds
        folds.parquet, whose patches, folds and labels the files must have.
    rule, calibration, bootstrap, seed
        As in `landslip.ensemble.choice.choose_rule`.
    target
        ensemble/oof.parquet: id, fold, label, probability (of every fold by the rule as the other
        folds fit it), and a column for each member; rows in the order of `folds`. The rule is in
        its metadata.

    Raises
    ------
    InputError
        A patch is missing, comes twice, is none of the split's, has another label or stands in
        another fold; a probability is NaN or outside [0, 1]; a file is of another split or
        another model. The message names the file, how many patches and the first of them.
    """
    split, digest, columns = read_members(members, folds)
    choice = choose_rule(
        split["label"].to_numpy(dtype=np.int8),
        np.stack(list(columns.values()), axis=1),
        split["fold"].to_numpy(dtype=np.int64),
        list(columns),
        rule=rule,
        calibration=calibration,
        bootstrap=bootstrap,
        seed=seed,
    )
    logger.info("%s of %d members. %s", choice.fitted.rule, len(columns), choice.why)
    write_ensemble_oof(target, split=split, members=columns, choice=choice, split_digest=digest)


def read_members(
    members: Mapping[str, Sequence[Path]], folds: Path
) -> tuple[pd.DataFrame, str, dict[str, Floats]]:
    """Read OOF predictions of models, each patch once, in the order of `folds`.

    Returns
    -------
    table
        folds.parquet: id, fold, label.
    digest
        Of the split.
    probabilities
        Model -> (n,).

    Raises
    ------
    InputError
        As in `gather_oof`.
    """
    table, digest = read_folds(folds)
    read = {name: _member_oof(name, paths, table, digest) for name, paths in members.items()}
    return table, digest, read


def _member_oof(name: str, paths: Sequence[Path], table: pd.DataFrame, digest: str) -> Floats:
    """Probabilities of one member in the order of the folds' table."""
    expected = table.set_index("id")
    found = []
    for path in paths:
        predictions = read_oof(path)
        check_origin(path, predictions, name, digest)
        rows = predictions.frame.set_index("id")
        _refuse(path, "are not among the training patches", rows.index.difference(expected.index))
        known = expected.loc[rows.index]
        _refuse(
            path, "stand in another fold in the split", rows.index[rows["fold"] != known["fold"]]
        )
        _refuse(
            path, "have another label in the split", rows.index[rows["label"] != known["label"]]
        )
        found.append(rows["probability"].rename(str(path)))
    joined = pd.concat(found)
    doubled = joined.index[joined.index.duplicated()].unique()
    holding = [str(part.name) for part in found if part.index.isin(doubled).any()]
    _refuse(" and ".join(holding), f"come twice in the OOF predictions of {name}", doubled)
    missing = expected.index[~expected.index.isin(joined.index)]
    if len(missing):
        folds = sorted(expected.loc[missing, "fold"].unique().tolist())
        _refuse(
            ", ".join(map(str, paths)),
            f"of {len(expected)} have no OOF prediction of {name} (folds {folds})",
            missing,
        )
    return np.asarray(joined.loc[expected.index], dtype=np.float64)


def _refuse(where: object, what: str, ids: Iterable[object]) -> None:
    ids = list(ids)
    if ids:
        raise InputError(f"{where}: patches that {what}: {format_ids(ids)}")
