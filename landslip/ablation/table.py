"""One table of the ablation: what every variant scores and how it differs, the paper beside it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from landslip.ablation.rows import Row
from landslip.ensemble import metrics
from landslip.ensemble.calibration import Method
from landslip.ensemble.differences import compare
from landslip.ensemble.gather import read_members
from landslip.ensemble.rules import Fit, cross_fit_rule
from landslip.ensemble.tables import read_ensemble_oof
from landslip.io.arrays import Floats, Labels
from landslip.io.files import read_csv, write_parquet
from landslip.models.cost import read_cost, seconds_per_thousand

PAPER = ("oof_f1", "oof_auc", "overall_f1")


def gather_table(
    *,
    name: str,
    rows: Sequence[Row],
    models: Mapping[str, Sequence[Path]],
    costs: Mapping[str, Sequence[Path]],
    folds: Path,
    ensemble: Path,
    paper: Path,
    bootstrap: int,
    seed: int,
    target: Path,
) -> None:
    """Write results/ablation/{table}.parquet; see `table_of`.

    Parameters
    ----------
    name
        Of the table, as in `paper`.
    rows
        The table's variants.
    models, costs
        Model -> oof.parquet and cost.json of its folds.
    folds
        folds.parquet.
    ensemble
        ensemble/oof.parquet; its rule combines the members of a row of several.
    paper
        CSV: table, variant and PAPER, the paper's figures.
    bootstrap, seed
        Resamples of the patches, and the run's seed.
    target
        Parquet file to write.

    Raises
    ------
    InputError
        Predictions lack a patch or are of another split, or a file is damaged.
    """
    split, digest, probabilities = read_members(models, folds)
    table = table_of(
        rows,
        probabilities,
        labels=split["label"].to_numpy(dtype=np.int8),
        fold=split["fold"].to_numpy(dtype=np.int64),
        way=read_ensemble_oof(ensemble).way,
        resamples=bootstrap,
        seed=seed,
    )
    per_thousand = {
        model: seconds_per_thousand(map(read_cost, paths)) for model, paths in costs.items()
    }
    table["seconds_per_1000_patches"] = [
        sum(per_thousand[model] for model in row.members) for row in rows
    ]
    published = _read_paper(paper, name)
    table = table.merge(published, on="variant", how="left", validate="one_to_one")
    write_parquet(target, table, {"split_digest": digest, "table": name})


def table_of(
    rows: Sequence[Row],
    probabilities: Mapping[str, Floats],
    *,
    labels: Labels,
    fold: NDArray[np.int64],
    way: tuple[Fit, Method],
    resamples: int,
    seed: int,
) -> pd.DataFrame:
    """Measure every row on out-of-fold predictions.

    Parameters
    ----------
    rows
        The table's variants.
    probabilities
        Model -> (n,).
    labels : (n,)
        0 or 1.
    fold : (n,)
        The fold of each patch.
    way
        Rule and calibration that combine the members of a row of several.
    resamples
        Draws of the patches for the intervals.
    seed
        The run's seed.

    Returns
    -------
    DataFrame
        variant; model, its jobs, joined by `+`; against; patches, positives; f1 at cross-fitted
        rules and thresholds (every fold by those of the others) with f1_low and f1_high; precision,
        recall and tn, fp, fn, tp of the same decisions; auc; difference of F1 to `against`, with
        difference_low and difference_high and contains_zero, whether these hold 0. A row that
        is compared to itself has a difference of 0.
    """
    fit, method = way
    crossed = {
        tuple(members): cross_fit_rule(
            labels,
            np.stack([probabilities[model] for model in members], axis=1),
            fold,
            members=members,
            # A model alone is judged as it predicts.
            rule=fit if len(members) > 1 else "mean",
            calibration=method if len(members) > 1 else "none",
        )
        for row in rows
        for members in (row.members, row.against_members)
    }
    names = {members: "+".join(members) for members in crossed}
    decisions = {names[members]: made.landslide for members, made in crossed.items()}
    pairs = [(names[tuple(row.members)], names[tuple(row.against_members)]) for row in rows]
    f1, differences = compare(labels, decisions, pairs, resamples=resamples, seed=seed)
    made: list[dict[str, Any]] = []
    for row, pair in zip(rows, pairs, strict=True):
        decided, difference = decisions[pair[0]], differences[pair]
        made.append(
            {
                "variant": row.variant,
                "model": pair[0],
                "against": row.against,
                "patches": len(labels),
                "positives": int(labels.sum()),
                "f1": f1[pair[0]].value,
                "f1_low": f1[pair[0]].low,
                "f1_high": f1[pair[0]].high,
                "precision": metrics.once(metrics.precision, labels, decided),
                "recall": metrics.once(metrics.recall, labels, decided),
                "auc": metrics.once(metrics.auc, labels, crossed[tuple(row.members)].probability),
                **metrics.confusion(labels, decided),
                "difference": difference.value,
                "difference_low": difference.low,
                "difference_high": difference.high,
                "contains_zero": difference.contains_zero,
            }
        )
    return pd.DataFrame(made)


def _read_paper(path: Path, name: str) -> pd.DataFrame:
    table = read_csv(path, ["table", "variant", *PAPER])
    own = table.loc[table["table"] == name, ["variant", *PAPER]]
    return own.rename(columns={key: f"paper_{key}" for key in PAPER})
