"""The trees of all folds of one model on the test patches, from files to files."""

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from landslip.io.files import InputError
from landslip.io.large_tables import iterate_parquet
from landslip.models.fold_models import check_folds
from landslip.models.interruption import noting_signals
from landslip.models.predictions import format_ids, write_test
from landslip.models.tree_files import load_trees

# Patches whose features are in memory at once.
_BLOCK = 8192

log = logging.getLogger(__name__)


@noting_signals("the prediction starts anew with the next run")
def predict_trees(
    *,
    model: str,
    descriptions: Sequence[Path],
    features: Path,
    threads: int,
    targets: Sequence[Path],
) -> None:
    """Write what the trees of every fold predict for a table of features.

    Features are read once, a block at a time, for all folds; how they are cut changes no bit:
    trees look at each patch alone.

    Parameters
    ----------
    model
        Its name, which every description must hold.
    descriptions
        model.json of every fold, in order; weights beside it.
    features
        Table of features by id.
    threads
        Of the processor.
    targets
        For each fold, parquet as of `landslip.models.predictions.write_test`.

    Raises
    ------
    InputError
        A model file is missing, damaged or of another fold or training; the table is damaged,
        lacks a feature, or holds an id twice or a value that is not finite.
    Interrupted
        A signal asked to end.
    """
    folds = [load_trees(description, threads=threads) for description in descriptions]
    split_digest = check_folds(
        model, descriptions, [fold.description for fold in folds], folds=len(targets)
    )
    ids: list[str] = []
    predicted = [[np.empty(0)] for _ in folds]
    columns = folds[0].columns
    for block in iterate_parquet(features, ["id", *columns], at_once=_BLOCK):
        ids += block["id"].tolist()
        values = block[columns].to_numpy(dtype=np.float64)
        finite = np.isfinite(values).all(axis=1)
        if not finite.all():
            raise InputError(
                f"{features}: features are NaN or infinite for {format_ids(block['id'][~finite])}"
            )
        for of_fold, fold in zip(predicted, folds, strict=True):
            of_fold.append(fold.predict(values))
    log.info("%s: %d patches, %d folds", model, len(ids), len(folds))
    for target, of_fold in zip(targets, predicted, strict=True):
        write_test(
            target,
            ids=ids,
            probability=np.concatenate(of_fold),
            split_digest=split_digest,
            model=model,
        )
