"""Learning curves of every model and fold."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from landslip.io.files import read_parquet
from landslip.report.plots import Axes, MaxNLocator, StrMethodFormatter
from landslip.report.style import BLUE, GREEN, VERMILION, drawing

_COLUMNS = ("step", "train_loss", "validation_loss", "validation_f1")
_ACROSS = 3


def draw_learning_curves(
    *, history: Mapping[str, Sequence[Path]], trees: Sequence[str], target: Path
) -> None:
    """Draw loss and F1 of training, a pair of panels for each model.

    Parameters
    ----------
    history
        Name of each model -> history.parquet of each of its folds.
    trees
        Those of the models whose steps are boosting rounds; the others' are epochs.
    target
        PNG file to write.

    Raises
    ------
    InputError
        A file is damaged or lacks a column.
    """
    curves = {
        name: [read_parquet(path, _COLUMNS) for path in paths] for name, paths in history.items()
    }
    rows = -(-len(curves) // _ACROSS)
    across = min(len(curves), _ACROSS)
    with drawing(target, height=0.5 + 3.3 * rows) as figure:
        panels = figure.subplots(2 * rows, across, squeeze=False, height_ratios=[1.25, 1] * rows)
        lowest = 1.0
        for index, (name, folds) in enumerate(curves.items()):
            row, column = divmod(index, across)
            loss, f1 = panels[2 * row, column], panels[2 * row + 1, column]
            _draw(loss, folds, "train_loss", BLUE, "-", "training")
            _draw(loss, folds, "validation_loss", VERMILION, (0, (4, 1.5)), "validation")
            _draw(f1, folds, "validation_f1", GREEN, "-", "validation")
            loss.set_title(name)
            loss.tick_params(labelbottom=False)
            loss.set_ylim(bottom=0)
            f1.sharex(loss)
            f1.xaxis.set_major_locator(MaxNLocator(4, integer=True))
            f1.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
            f1.set_xlabel("Boosting round" if name in trees else "Epoch")
            lowest = min(lowest, *(_settled(fold) for fold in folds))
            if column == 0:
                loss.set_ylabel("Loss")
                f1.set_ylabel("F1 at 0.5")
        floor = max(np.floor(10 * lowest) / 10 - 0.1, 0)
        for index in range(rows * across):
            row, column = divmod(index, across)
            if index < len(curves):
                panels[2 * row + 1, column].set_ylim(floor, 1)
            else:
                panels[2 * row, column].set_visible(False)
                panels[2 * row + 1, column].set_visible(False)
        handles, labels = panels[0, 0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper center", ncols=len(labels))


def _draw(
    axes: Axes,
    folds: Sequence[pd.DataFrame],
    column: str,
    colour: str,
    dashes: str | tuple[int, tuple[float, ...]],
    label: str,
) -> None:
    """Every fold thin, their mean thick."""
    for fold in folds:
        axes.plot(fold["step"], fold[column], color=colour, lw=0.7, alpha=0.4)
    mean = pd.concat(folds).groupby("step", sort=True)[column].mean()
    axes.plot(
        mean.index, mean, color=colour, linestyle=dashes, lw=2, label=f"{label}, mean of the folds"
    )


def _settled(fold: pd.DataFrame) -> float:
    """F1 a third of the way: what came before need not be legible."""
    return float(fold["validation_f1"].iloc[len(fold) // 3])
