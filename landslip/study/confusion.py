"""The ensemble's confusion matrix at each way to choose its threshold (the paper's Table 3)."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from landslip.ensemble import measures
from landslip.ensemble.tables import EnsembleOof, read_ensemble_oof
from landslip.ensemble.threshold import HALF, cross_fit, search_exact, search_grid
from landslip.files import write_parquet

# Of the paper's Table 3: at 0.49, the best of its grid.
PAPER = {"tn": 5832, "fp": 60, "fn": 129, "tp": 1126}


def write_confusion(*, oof: Path, target: Path) -> None:
    """Write results/study/confusion.parquet from ensemble/oof.parquet; see `confusion_table`."""
    table = read_ensemble_oof(oof)
    write_parquet(target, confusion_table(table), {"split_digest": table.split_digest})


def confusion_table(table: EnsembleOof) -> pd.DataFrame:
    """One row a threshold: half, grid, exact, and every fold at the best of the others.

    Returns
    -------
    DataFrame
        variant; threshold (null where each fold has its own); tn, fp, fn, tp; f1; the counts in
        the paper beside those of the grid, as paper_tn ...
    """
    labels, scores = table.labels, table.probability
    thresholds = {
        "half": HALF,
        "grid": search_grid(labels, scores).threshold,
        "exact": search_exact(labels, scores).threshold,
    }
    decided = {name: scores > threshold for name, threshold in thresholds.items()}
    decided["cross_fitted"] = cross_fit(labels, scores, table.fold).landslide
    once = np.ones((1, len(labels)))
    rows: list[dict[str, Any]] = []
    for name, landslide in decided.items():
        paper = PAPER if name == "grid" else dict.fromkeys(PAPER, None)
        rows.append(
            {
                "variant": name,
                "threshold": thresholds.get(name),
                **measures.confusion(labels, landslide),
                "f1": float(measures.f1(labels, landslide, once)[0]),
                **{f"paper_{key}": count for key, count in paper.items()},
            }
        )
    counts = {f"paper_{key}": "Int64" for key in PAPER}
    return pd.DataFrame(rows).astype({"threshold": "float64", **counts})
