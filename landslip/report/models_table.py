"""The table of models: what metrics.json says of each, and the paper's figures beside it."""

from pathlib import Path
from typing import Any

import pandas as pd

from landslip.ensemble.records import read_metrics
from landslip.io.files import read_csv, read_parquet, write_text
from landslip.models.names import ENSEMBLE

PAPER = ("oof_f1", "oof_auc", "overall_f1")
# Of a model's metrics: these are no single numbers.
_OTHER = ("confusion", "confusion_at_half", "constant_folds", "intervals")
# Training patches, landslides among them, test patches.
_PAPERS_COUNTS = (7147, 1255, 5398)


def tabulate_models(*, metrics: Path, paper: Path | None, target: Path) -> None:
    """Write the table of models as CSV; see `models_table`.

    Parameters
    ----------
    metrics
        ensemble/metrics.json.
    paper
        CSV with model, oof_f1, oof_auc, overall_f1 of the paper, where the data is the paper's;
        else None.
    target
        CSV file to write.

    Raises
    ------
    InputError
        A file is damaged or lacks a column.
    """
    published = None if paper is None else read_csv(paper, ["model", *PAPER])
    table = models_table(read_metrics(metrics), published)
    write_text(target, table.to_csv(index=False, lineterminator="\n"))


def models_table(metrics: dict[str, Any], paper: pd.DataFrame | None = None) -> pd.DataFrame:
    """One row a model, the ensemble first, then by OOF F1.

    Parameters
    ----------
    metrics
        As in ensemble/metrics.json.
    paper
        model, then PAPER.

    Returns
    -------
    DataFrame
        model; measures on OOF predictions, each with an interval as `{measure}_low` and `_high`
        where there is one; where test labels are known, the same on the test patches as
        `test_{measure}`; where `paper` is given, its columns as `paper_{column}`.
    """
    test = metrics.get("test")
    rows = []
    for name, measured in [(ENSEMBLE, metrics[ENSEMBLE]), *metrics["members"].items()]:
        row: dict[str, Any] = {"model": name, **_flatten(measured)}
        if test is not None:
            tested = test[ENSEMBLE] if name == ENSEMBLE else test["members"][name]
            row |= {f"test_{key}": value for key, value in _flatten(tested).items()}
        rows.append(row)
    table = pd.DataFrame([rows[0], *sorted(rows[1:], key=lambda row: (-row["f1"], row["model"]))])
    if paper is not None:
        renamed = paper.rename(columns={key: f"paper_{key}" for key in PAPER})
        table = table.merge(renamed, on="model", how="left")
    return table


def _flatten(measured: dict[str, Any]) -> dict[str, Any]:
    row: dict[str, Any] = {}
    for key in [key for key in measured if key not in _OTHER]:
        row[key] = measured[key]
        bounds = (measured.get("intervals") or {}).get(key)
        if bounds is not None:
            row[f"{key}_low"], row[f"{key}_high"] = bounds
    return row


def is_papers_data(manifest: Path) -> bool:
    """Whether these are the paper's patches, as far as their counts tell."""
    table = read_parquet(manifest, ["split", "label"])
    train = table[table["split"] == "train"]
    counts = len(train), int(train["label"].sum()), len(table) - len(train)
    return counts == _PAPERS_COUNTS
