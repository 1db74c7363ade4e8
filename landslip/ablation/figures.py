"""Figures of the ablation: quality against time, calibration, other shares of landslides."""

import math
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from landslip.ablation.records import read_calibration
from landslip.io.files import read_parquet
from landslip.models.names import ENSEMBLE
from landslip.report.figures import draw_figures
from landslip.report.plots import Axes, LogLocator, NullFormatter
from landslip.report.style import (
    BLUE,
    FAINT,
    GREEN,
    INK,
    QUIET,
    VERMILION,
    draw_placeholder,
    drawing,
)
from landslip.report.wording import percent, readable, score

_METHODS = {
    "none": ("as predicted", INK, "o"),
    "temperature": ("temperature", BLUE, "s"),
    "isotonic": ("isotonic", VERMILION, "^"),
}

_NAMED = 8  # models whose names fit beside the axes


def draw_ablation(*, tables: Sequence[Path], calibration: Path, targets: Sequence[Path]) -> None:
    """Draw the figures of the page.

    Parameters
    ----------
    tables
        As `landslip.ablation.table.gather_table` writes them.
    calibration
        calibration.json.
    targets
        PNG files to write, named after the figures.

    Raises
    ------
    InputError
        A file is damaged.
    """
    draw_figures(
        {
            "quality": partial(draw_quality, tables=tables),
            "calibration": partial(draw_calibration, calibration=calibration),
            "prevalence": partial(draw_prevalence, calibration=calibration),
        },
        targets,
    )


def draw_quality(*, tables: Sequence[Path], target: Path) -> None:
    """Draw F1 against the time to predict 1,000 patches, of every model and ensemble."""
    read = [read_parquet(path) for path in tables]
    rows = pd.concat(read) if read else pd.DataFrame(columns=["model"])
    rows = rows.drop_duplicates("model")
    with drawing(target, height=4.6) as figure:
        axes = figure.subplots()
        rows = rows[rows["seconds_per_1000_patches"] > 0] if len(rows) else rows
        if len(rows) == 0:
            draw_placeholder(axes, "No table of the ablation has a model.")
            return
        single = ~rows["model"].str.contains("+", regex=False)
        looks = (("single models", single, BLUE, "o"), ("means of models", ~single, VERMILION, "D"))
        for label, chosen, colour, marker in looks:
            part = rows[chosen]
            if len(part):
                errors = [part["f1"] - part["f1_low"], part["f1_high"] - part["f1"]]
                axes.errorbar(
                    part["seconds_per_1000_patches"], part["f1"], yerr=errors, fmt=marker,
                    color=colour, ecolor=FAINT, markersize=5, linewidth=0, elinewidth=1.2,
                    label=label,
                )  # fmt: skip
        best = _frontier(rows)
        # As far as the slowest: what is slower is no better.
        reach = [*best["seconds_per_1000_patches"], rows["seconds_per_1000_patches"].max()]
        axes.plot(
            reach, [*best["f1"], best["f1"].iloc[-1]], color=QUIET, linewidth=1,
            drawstyle="steps-post", zorder=1, label="best at or below this time",
        )  # fmt: skip
        _number(axes, best)
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
        axes.set_xlabel("Seconds for 1,000 patches, all folds (logarithmic)")
        axes.set_ylabel("F1, cross-fitted threshold")
        axes.set_title("Quality against time to predict")
        axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1))


def draw_calibration(*, calibration: Path, target: Path) -> None:
    """Draw the ensemble's reliability as predicted and calibrated."""
    read = read_calibration(calibration)
    with drawing(target, height=3.8) as figure:
        panels = figure.subplots(1, len(_METHODS), sharey=True)
        for axes, (how, (title, colour, marker)) in zip(panels, _METHODS.items(), strict=True):
            bins = pd.DataFrame(read["reliability"][how])
            scores = read["scores"][ENSEMBLE][how]
            axes.plot([0, 1], [0, 1], color=QUIET, linewidth=1)
            errors = [bins["observed"] - bins["low"], bins["high"] - bins["observed"]]
            axes.errorbar(
                bins["predicted"], bins["observed"], yerr=[e.clip(lower=0) for e in errors],
                fmt=marker, color=colour, markersize=5, elinewidth=1.2,
            )  # fmt: skip
            axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), aspect="equal")
            axes.set_title(title.capitalize())
            axes.set_xlabel(
                f"Predicted\nBrier {score(scores['brier'], 4)}, ECE {score(scores['ece'], 4)}"
            )
        panels[0].set_ylabel("Observed share of landslides")


def draw_prevalence(*, calibration: Path, target: Path) -> None:
    """Draw threshold and F1 against the share of landslides."""
    read = read_calibration(calibration)["prevalence"]
    with drawing(target, height=3.4) as figure:
        panels = figure.subplots(1, 2)
        if not read["rows"]:
            for axes in panels:
                draw_placeholder(axes, "One class has no patch.")
            return
        rows = pd.DataFrame(read["rows"])
        quality, threshold = panels
        curves = (
            ("f1", BLUE, "o", "-", "best threshold there"),
            ("f1_kept", VERMILION, "s", (0, (5, 2)), f"threshold of {percent(read['observed'])}"),
        )
        for name, colour, marker, dash, label in curves:
            quality.plot(
                rows["share"], rows[name], color=colour, marker=marker, linestyle=dash, label=label,
                markersize=5,
            )  # fmt: skip
            _band(quality, rows["share"], rows[f"{name}_interval"], colour)
        quality.set_title("F1")
        quality.legend(loc="lower right")
        threshold.plot(rows["share"], rows["threshold"], color=GREEN, marker="o", markersize=5)
        _band(threshold, rows["share"], rows["threshold_range"], GREEN)
        threshold.set_title("Best threshold")
        for axes in panels:
            axes.set_xlabel("Share of landslides")
            axes.xaxis.set_major_formatter(lambda value, _: f"{100 * value:.0f} %")
            _mark_shares(axes, read)


def _band(axes: Axes, x: pd.Series, bounds: pd.Series, colour: str) -> None:
    """A band from low to high; nothing where a bound is unknown."""
    pairs = [(math.nan, math.nan) if pair is None else pair for pair in bounds]
    low, high = zip(*pairs, strict=True)
    axes.fill_between(x, low, high, color=colour, alpha=0.15, linewidth=0)


def _mark_shares(axes: Axes, read: dict[str, Any]) -> None:
    """Lines at the observed share and at the one asked for."""
    for key, words, dash in (("observed", "here", "-"), ("target", "carried over to", ":")):
        axes.axvline(read[key], color=QUIET, linewidth=1, linestyle=dash, zorder=1)
        axes.annotate(
            f"{words}: {percent(read[key])}",
            (read[key], 0.02),
            xycoords=("data", "axes fraction"),
            rotation=90,
            fontsize=8,
            color=QUIET,
            xytext=(3, 0),
            textcoords="offset points",
        )


def _number(axes: Axes, best: pd.DataFrame) -> None:
    """Numbers at the rows, which may lie close together, and their names beside the axes."""
    for place, row in enumerate(best.itertuples(), 1):
        axes.annotate(
            str(place), (row.seconds_per_1000_patches, row.f1), textcoords="offset points",
            xytext=(-4, 5), ha="right", fontsize=8.5, weight="bold", color=INK, zorder=4,
        )  # fmt: skip
    names = [
        f"{place}  {readable(str(row.variant))}\n     {row.seconds_per_1000_patches:.2g} s"
        for place, row in enumerate(best.itertuples(), 1)
    ]
    # Under the legend; of a long frontier the last, which are the best.
    axes.annotate(
        "\n".join(names[-_NAMED:]), (1.02, 0.76), xycoords="axes fraction", va="top", fontsize=8.5,
        color=INK,
    )  # fmt: skip


def _frontier(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows that no faster row equals in F1."""
    ordered = rows.sort_values(["seconds_per_1000_patches", "f1"], ascending=[True, False])
    before = ordered["f1"].cummax().shift(fill_value=-1.0)
    return ordered[ordered["f1"] > before]
