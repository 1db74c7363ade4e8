"""Predictions of tree models with groups of features shuffled among the patches of a fold."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from landslip.data.folds import read_folds
from landslip.io.arrays import Floats
from landslip.io.files import InputError, read_parquet, write_parquet
from landslip.models.seeds import derive_seed
from landslip.models.tree_files import load_trees

FULL = "full"
SEPARATOR = ":"

log = logging.getLogger(__name__)


def permute_groups(
    *,
    model: str,
    descriptions: Sequence[Path],
    features: Path,
    folds: Path,
    groupings: Mapping[str, Mapping[str, Sequence[str]]],
    repeats: int,
    seed: int,
    threads: int,
    target: Path,
) -> None:
    """Write out-of-fold predictions of a model whose features are shuffled group by group.

    Parameters
    ----------
    model
        Its name, which the shuffles are drawn from, with the seed and the fold.
    descriptions
        model.json of every fold, in order.
    features
        Table of features by id.
    folds
        folds.parquet.
    groupings
        Grouping (modality, statistic, ...) -> group -> features. All features of a group are
        shuffled alike, among the patches of the fold that the model did not learn from.
    repeats
        Shufflings of each group.
    seed
        The run's seed.
    threads
        Of the processor.
    target
        parquet: id, fold, label, full (as it is), and `{grouping}:{group}:{repeat}`.

    Raises
    ------
    InputError
        A file is damaged, or lacks a patch or a feature.
    """
    split, digest = read_folds(folds)
    numbers = sorted(split["fold"].unique().tolist())
    if len(numbers) != len(descriptions):
        raise InputError(f"{len(descriptions)} models of {model} for {len(numbers)} folds")
    columns: dict[str, Floats] = {}
    for fold, description in zip(numbers, descriptions, strict=True):
        stored = load_trees(description, threads=threads)
        in_fold = (split["fold"] == fold).to_numpy()
        table = read_parquet(features, ["id", *stored.columns]).set_index("id")
        values = table.loc[split["id"][in_fold], stored.columns].to_numpy(dtype=np.float64)
        orders = [
            np.random.default_rng(derive_seed(seed, f"permute{repeat}", fold)).permutation(
                len(values)
            )
            for repeat in range(repeats)
        ]
        columns.setdefault(FULL, np.empty(len(split)))[in_fold] = stored.predict(values)
        for grouping, groups in groupings.items():
            for group, names in groups.items():
                positions = [
                    number for number, name in enumerate(stored.columns) if name in set(names)
                ]
                for repeat, order in enumerate(orders):
                    key = SEPARATOR.join((grouping, group, str(repeat)))
                    shuffled = values.copy()
                    shuffled[:, positions] = values[order][:, positions]
                    predicted = stored.predict(shuffled)
                    columns.setdefault(key, np.empty(len(split)))[in_fold] = predicted
        log.info("%s fold %d of %d: %d shufflings", model, fold, len(numbers), len(columns) - 1)
    frame = pd.concat([split[["id", "fold", "label"]], pd.DataFrame(columns)], axis=1)
    write_parquet(target, frame, {"split_digest": digest, "model": model})
