"""Feature importance of tree models, averaged over folds."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from landslip.io.files import InputError, read_parquet

IMPORTANCE_COLUMNS = ("feature", "gain", "splits")


def mean_importance(paths: Sequence[Path]) -> pd.DataFrame:
    """Mean over the folds of one model's importance, most gain first.

    Parameters
    ----------
    paths
        importance.parquet of every fold of one model.

    Returns
    -------
    DataFrame
        feature; gain, the loss reduction summed over all splits on the feature; splits, their
        number. Features of equal gain in order of name.

    Raises
    ------
    InputError
        Files are of models that read different features.
    """
    tables = [read_parquet(path, IMPORTANCE_COLUMNS).set_index("feature") for path in paths]
    for path, table in zip(paths, tables, strict=True):
        different = set(table.index) ^ set(tables[0].index)
        if different:
            raise InputError(
                f"{path} and {paths[0]} are of models with different features:"
                f" {sorted(different)[:5]}"
            )
    mean = pd.concat(tables).groupby(level="feature").mean().reset_index()
    return mean.sort_values(["gain", "feature"], ascending=[False, True], ignore_index=True)
