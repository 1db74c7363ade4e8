"""What the ensemble decides and how far its probabilities can be believed, on OOF predictions."""

from pathlib import Path

import numpy as np

from landslip.ensemble.metrics import confusion as count_decisions
from landslip.ensemble.reliability import BINS
from landslip.ensemble.reliability import reliability as bin_reliability
from landslip.ensemble.tables import EnsembleOof
from landslip.report.plots import StrMethodFormatter, SymmetricalLogLocator
from landslip.report.style import BLUE, INK, QUIET, VERMILION, drawing
from landslip.report.wording import count, percent, score


def draw_confusion(table: EnsembleOof, threshold: float, target: Path) -> None:
    """Draw the ensemble's confusion matrix."""
    counts = count_decisions(table.labels, table.probability > threshold)
    cells = np.array([[counts["tn"], counts["fp"]], [counts["fn"], counts["tp"]]])
    names = [["correctly quiet", "false alarms"], ["missed landslides", "landslides found"]]
    shares = cells / np.maximum(cells.sum(axis=1, keepdims=True), 1)
    with drawing(target, height=4.0, width=5.6) as figure:
        axes = figure.subplots()
        axes.imshow(shares, cmap="Blues", vmin=0, vmax=1.25, aspect="auto")
        for (row, column), number in np.ndenumerate(cells):
            ink = "white" if shares[row, column] > 0.6 else INK
            axes.text(
                column,
                row - 0.09,
                count(int(number)),
                ha="center",
                va="center",
                fontsize=19,
                weight="bold",
                color=ink,
            )
            axes.text(
                column,
                row + 0.2,
                f"{names[row][column]}\n{percent(float(shares[row, column]))} of the row",
                ha="center",
                va="center",
                fontsize=9,
                color=ink,
            )
        axes.set_xticks([0, 1], ["not a landslide", "landslide"])
        axes.set_yticks([0, 1], ["not a\nlandslide", "landslide"])
        axes.set(xlabel=f"Ensemble, at the threshold {score(threshold)}", ylabel="Label")
        axes.grid(False)
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
        axes.axhline(0.5, color="white", lw=3)
        axes.axvline(0.5, color="white", lw=3)


def draw_reliability(table: EnsembleOof, threshold: float, target: Path) -> None:
    """Draw the share of landslides against predicted probability, and both classes' histograms."""
    with drawing(target, height=6.2, width=7.2) as figure:
        axes, below = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1.2])
        axes.plot([0, 1], [0, 1], color=QUIET, lw=0.9, linestyle=":", label="as predicted")
        for index, scores in enumerate(table.members.values()):
            binned = bin_reliability(table.labels, scores)
            axes.plot(
                binned["predicted"],
                binned["observed"],
                color="#b5b5b5",
                lw=0.9,
                label="members" if index == 0 else None,
            )
        binned = bin_reliability(table.labels, table.probability)
        share = binned["observed"]
        errors = np.clip([share - binned["low"], binned["high"] - share], 0, None)
        axes.errorbar(
            binned["predicted"],
            share,
            yerr=errors,
            fmt="o-",
            color=INK,
            lw=2,
            ms=5.5,
            elinewidth=1.1,
            capsize=3,
            label="ensemble, 95 % interval",
        )
        axes.set(xlim=(0, 1), ylim=(0, 1.02), ylabel="Share of landslides among these patches")
        axes.legend(loc="upper left")
        edges = np.linspace(0, 1, 2 * BINS + 1)
        for label, colour, name, hatch in (
            (0, BLUE, "not a landslide", None),
            (1, VERMILION, "landslide", "////"),
        ):
            below.hist(
                table.probability[table.labels == label],
                edges,
                histtype="stepfilled",
                facecolor="none" if hatch else colour,
                edgecolor=colour,
                hatch=hatch,
                lw=1.2,
                alpha=None if hatch else 0.35,
                label=name,
            )
        below.axvline(threshold, color=INK, lw=0.9, linestyle=(0, (4, 3)))
        below.set_yscale("symlog", linthresh=1)
        below.set_ylim(0, 30 * below.get_ylim()[1] ** 0.9)
        below.yaxis.set_major_locator(SymmetricalLogLocator(base=10, linthresh=1))
        below.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
        below.set(xlabel="Predicted probability of a landslide", ylabel="Patches")
        below.legend(loc="upper center", ncols=2)
