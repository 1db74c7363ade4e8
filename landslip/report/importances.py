"""Which features the tree models use, averaged over folds."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from landslip.io.files import read_parquet
from landslip.models.importance import IMPORTANCE_COLUMNS, mean_importance
from landslip.report.style import COLOURS, INK, QUIET, drawing
from landslip.report.wording import percent, readable

TOP = 30
_HATCHES = ("", "////", "....", "xxxx", "----", "oo")


def draw_importance(
    *,
    importance: Mapping[str, Sequence[Path]],
    modalities: Mapping[str, str],
    target: Path,
) -> None:
    """Draw the features of most gain of each tree model, side by side.

    Parameters
    ----------
    importance
        Name of each tree model -> importance.parquet of each of its folds.
    modalities
        Channel -> its modality, which colours the bars.
    target
        PNG file to write.

    Raises
    ------
    InputError
        A file is damaged, or the folds of a model read different features.
    """
    tables = {name: gain_shares(paths) for name, paths in importance.items()}
    groups = list(dict.fromkeys(modalities.values()))
    rows = max(len(table) for table in tables.values())
    kept = [set(table["feature"]) for table in tables.values()]
    common = set.intersection(*kept) if len(kept) > 1 else set()
    with drawing(target, height=1.5 + 0.235 * rows) as figure:
        panels = figure.subplots(1, len(tables), squeeze=False)[0]
        for axes, (name, table) in zip(panels, tables.items(), strict=True):
            places = np.arange(len(table))
            modality = [modalities.get(_channel(f, modalities), "") for f in table["feature"]]
            for number, group in enumerate(groups):
                of_group = np.array([item == group for item in modality])
                axes.barh(
                    places[of_group],
                    100 * table["share"][of_group],
                    height=0.72,
                    color=COLOURS[number % len(COLOURS)],
                    alpha=0.75,
                    edgecolor="white",
                    hatch=_HATCHES[number % len(_HATCHES)],
                    label=readable(group),
                )
            axes.hlines(places, 100 * table["low"], 100 * table["high"], color=INK, lw=1.1)
            axes.set_yticks(places, table["feature"])
            for label in axes.get_yticklabels():
                label.set_weight("bold" if label.get_text() in common else "normal")
            axes.set_ylim(len(table) - 0.4, -0.6)
            axes.grid(axis="y", visible=False)
            axes.tick_params(axis="y", length=0)
            axes.set_title(name)
            axes.set_xlabel("Share of the model's gain, %")
            axes.annotate(
                f"these {len(table)}: {percent(float(table['share'].sum()))} of the gain",
                (0.98, 0.02),
                xycoords="axes fraction",
                ha="right",
                va="bottom",
                color=QUIET,
                fontsize=8.5,
                bbox={"facecolor": "white", "edgecolor": "none", "pad": 2},
            )
        handles, labels = panels[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper center", ncols=max(len(labels), 1))


def gain_shares(paths: Sequence[Path], top: int = TOP) -> pd.DataFrame:
    """The `top` features of one model: share of the gain, and its range over folds.

    Returns
    -------
    DataFrame
        feature; share of the mean gain, 0 to 1; low and high, the least and largest share in a
        fold. Most gain first.
    """
    mean = mean_importance(paths)
    shares = []
    for path in paths:
        gain = read_parquet(path, IMPORTANCE_COLUMNS).set_index("feature")["gain"]
        shares.append(gain / max(float(gain.sum()), np.finfo(np.float64).tiny))
    folds = pd.concat(shares, axis=1).loc[mean["feature"]]
    total = max(float(mean["gain"].sum()), np.finfo(np.float64).tiny)
    return pd.DataFrame(
        {
            "feature": mean["feature"].to_numpy(),
            "share": mean["gain"].to_numpy() / total,
            "low": folds.min(axis=1).to_numpy(),
            "high": folds.max(axis=1).to_numpy(),
        }
    ).head(top)


def _channel(feature: str, channels: Mapping[str, str]) -> str:
    """The channel of `{channel}_{statistic}`: the longest that the feature begins with."""
    fitting = [name for name in channels if feature.startswith(f"{name}_")]
    return max(fitting, key=len, default="")
