"""The table of speed: what training and prediction took of each model (the paper's Table 9)."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from landslip.io.files import InputError, write_text
from landslip.models.cost import read_cost


def tabulate_speed(*, costs: Mapping[str, Sequence[Path]], target: Path) -> None:
    """Write the table of speed as CSV; see `speed_table`.

    Parameters
    ----------
    costs
        Model -> cost.json of its folds.
    target
        CSV file to write.

    Raises
    ------
    InputError
        A file is damaged or lacks a value.
    """
    table = read_speed(costs)
    write_text(target, table.to_csv(index=False, lineterminator="\n"))


def read_speed(costs: Mapping[str, Sequence[Path]]) -> pd.DataFrame:
    """Read `speed_table` from files; see `tabulate_speed`."""
    read = {model: [read_cost(path) for path in paths] for model, paths in costs.items()}
    try:
        return speed_table(read)
    except KeyError as error:
        raise InputError(f"a cost.json lacks {error}; train the model anew") from error


def speed_table(costs: Mapping[str, Sequence[Mapping[str, Any]]]) -> pd.DataFrame:
    """One row a model: means over its folds, the highest memory, the sum of resumptions.

    Returns
    -------
    DataFrame
        model; encoder, timm's names, each once, or the library of a tree model; instances, how many
        encoders it has; device, precision, epochs, seconds_per_epoch (of a tree model all its
        boosting rounds), training_patches_per_second, prediction_seconds,
        prediction_patches_per_second, memory_mb, device_memory_mb, resumed.
    """
    return pd.DataFrame([_row(model, of_model) for model, of_model in costs.items()])


def _row(model: str, costs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    table = pd.DataFrame(costs)
    encoders = list(costs[0]["encoders"])
    passes = table["epochs"] if costs[0]["kind"] == "network" else 1
    return {
        "model": model,
        "encoder": " + ".join(dict.fromkeys(encoders)) or costs[0]["kind"],
        "instances": len(encoders) or 1,
        "device": ", ".join(sorted(table["device"].unique())),
        "precision": ", ".join(sorted(table["precision"].dropna().unique())) or None,
        "epochs": int(table["epochs"].max()),
        "seconds_per_epoch": float((table["training_seconds"] / passes).mean()),
        "training_patches_per_second": _numbers(table, "training_patches_per_second").mean(),
        "prediction_seconds": float(table["prediction_seconds"].mean()),
        "prediction_patches_per_second": _numbers(table, "prediction_patches_per_second").mean(),
        "memory_mb": _numbers(table, "peak_memory_mb").max(),
        "device_memory_mb": _numbers(table, "peak_device_memory_mb").max(),
        "resumed": int(table["resumed"].sum()),
    }


def _numbers(table: pd.DataFrame, name: str) -> pd.Series:
    """A column that may hold nothing but null."""
    return table[name].astype("float64")
