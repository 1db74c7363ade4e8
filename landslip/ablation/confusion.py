"""The ensemble's confusion matrix at each way to choose its threshold (the paper's Table 3)."""

from typing import Any

import pandas as pd

from landslip.ensemble import metrics
from landslip.ensemble.differences import compare
from landslip.ensemble.tables import EnsembleOof
from landslip.ensemble.threshold import HALF, search_exact, search_grid

# Of the paper's Table 3: at 0.49, the best of its grid.
PAPER = {"tn": 5832, "fp": 60, "fn": 129, "tp": 1126, "f1": 0.9226, "threshold": 0.49}


def confusion_table(table: EnsembleOof, *, resamples: int, seed: int) -> pd.DataFrame:
    """One row a threshold: half, grid, exact, and every fold by rule and threshold of the others.

    Returns
    -------
    DataFrame
        variant; threshold (null where each fold has its own); tn, fp, fn, tp; f1 with f1_low and
        f1_high, its 95 % interval with decisions as they are; beside the grid the paper's, as
        paper_tn ...
    """
    labels, scores = table.labels, table.probability
    thresholds = {
        "half": HALF,
        "grid": search_grid(labels, scores).threshold,
        "exact": search_exact(labels, scores).threshold,
    }
    decided = {name: scores > threshold for name, threshold in thresholds.items()}
    decided["cross_fitted"] = table.landslide
    f1, _ = compare(labels, decided, [], resamples=resamples, seed=seed)
    rows: list[dict[str, Any]] = []
    for name, landslide in decided.items():
        paper = PAPER if name == "grid" else dict.fromkeys(PAPER, None)
        rows.append(
            {
                "variant": name,
                "threshold": thresholds.get(name),
                **metrics.confusion(labels, landslide),
                "f1": f1[name].value,
                "f1_low": f1[name].low,
                "f1_high": f1[name].high,
                **{f"paper_{key}": value for key, value in paper.items()},
            }
        )
    kinds = {key: "float64" if key in ("f1", "threshold") else "Int64" for key in PAPER}
    paper_kinds = {f"paper_{key}": kind for key, kind in kinds.items()}
    return pd.DataFrame(rows).astype({"threshold": "float64", **paper_kinds})
