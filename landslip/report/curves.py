"""Curves over all thresholds: F1, ROC and precision-recall of every model, on OOF predictions."""

from pathlib import Path

import numpy as np
from sklearn.metrics import (
    average_precision_score,
    precision_recall_curve,
    roc_auc_score,
    roc_curve,
)

from landslip.ensemble.metrics import confusion
from landslip.ensemble.tables import EnsembleOof
from landslip.ensemble.threshold import f1_at, f1_curve
from landslip.io.arrays import Floats, Labels
from landslip.models.names import ENSEMBLE
from landslip.report.plots import Axes
from landslip.report.style import FAINT, INK, QUIET, draw_placeholder, drawing, lines_of
from landslip.report.wording import percent, score

_THRESHOLDS: Floats = np.linspace(0, 1, 501)
_CORNER = 0.2  # false positive rate
_ONE_CLASS = "All patches have the same label:\nthere is no such curve."


def draw_f1_threshold(table: EnsembleOof, threshold: float, target: Path) -> None:
    """Draw F1 at every threshold, of the ensemble and of each member."""
    best = f1_at(table.labels, table.probability, threshold)
    scores = _scores(table)
    with drawing(target, height=4.6) as figure:
        axes = figure.subplots()
        for name, line in lines_of(list(table.members)).items():
            curve = f1_curve(table.labels, scores[name], _THRESHOLDS)
            axes.plot(_THRESHOLDS, curve, label=name, **line)
        axes.axvline(threshold, color=INK, lw=0.9, linestyle=(0, (4, 3)))
        _mark(axes, threshold, best, label=None)
        right = threshold < 0.6
        axes.annotate(
            f"threshold {score(threshold)}\nF1 {score(best)}",
            (threshold, best),
            xytext=(10 if right else -10, 14),
            textcoords="offset points",
            ha="left" if right else "right",
            va="bottom",
            weight="bold",
        )
        axes.set(
            xlim=(0, 1),
            ylim=(0, min(1.12, best + 0.2) if best else 1),
            xlabel="Threshold (a patch above it is called a landslide)",
            ylabel="F1 on out-of-fold predictions",
        )
        axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1))


def draw_roc(table: EnsembleOof, threshold: float, target: Path) -> None:
    """Draw the ROC curve of every model, whole and enlarged where it bends."""
    with drawing(target, height=5.2) as figure:
        whole, corner = figure.subplots(1, 2)
        if not _both_classes(table.labels):
            draw_placeholder(whole, _ONE_CLASS)
            corner.set_visible(False)
            return
        scores = _scores(table)
        rates = {name: roc_curve(table.labels, values)[:2] for name, values in scores.items()}
        area = {name: roc_auc_score(table.labels, values) for name, values in scores.items()}
        counts = confusion(table.labels, table.probability > threshold)
        false_rate = counts["fp"] / (counts["fp"] + counts["tn"])
        true_rate = counts["tp"] / (counts["tp"] + counts["fn"])
        for axes in (whole, corner):
            for name, line in lines_of(list(table.members)).items():
                false, true = rates[name]
                axes.plot(false, true, label=f"{name}  {area[name]:.4f}", **line)
            axes.set_xlabel("False positive rate (others called a landslide)")
        _mark(whole, false_rate, true_rate)
        whole.plot([0, 1], [0, 1], color=QUIET, lw=0.9, linestyle=":")
        whole.set(xlim=(-0.01, 1), ylim=(0, 1.01), title="Whole curve")
        whole.set_ylabel("True positive rate (landslides found)")
        # On white: curves of models near chance run through here.
        whole.legend(
            title="Area under the curve", loc="lower right", alignment="left", frameon=True,
            facecolor="white", edgecolor="none", framealpha=0.85,
        )  # fmt: skip
        corner.set(xlim=(0, _CORNER), ylim=(min(0.5, 0.95 * true_rate), 1.01))
        corner.set_title("Enlarged: few false positives")
        if false_rate > _CORNER:
            corner.text(
                0.98, 0.03, "The threshold in force lies further right.",
                transform=corner.transAxes, ha="right", color=QUIET,
            )  # fmt: skip
        else:
            _mark(corner, false_rate, true_rate)


def draw_precision_recall(table: EnsembleOof, threshold: float, target: Path) -> None:
    """Draw precision against recall of every model, with lines of equal F1."""
    with drawing(target, height=5.2) as figure:
        axes = figure.subplots()
        if not _both_classes(table.labels):
            draw_placeholder(axes, _ONE_CLASS)
            return
        _draw_equal_f1(axes)
        scores = _scores(table)
        for name, line in lines_of(list(table.members)).items():
            precision, recall, _ = precision_recall_curve(table.labels, scores[name])
            average = average_precision_score(table.labels, scores[name])
            axes.plot(recall, precision, label=f"{name}  {average:.3f}", **line)
        counts = confusion(table.labels, table.probability > threshold)
        called = counts["tp"] + counts["fp"]
        if called:
            _mark(axes, counts["tp"] / (counts["tp"] + counts["fn"]), counts["tp"] / called)
        chance = float(table.labels.mean())
        axes.axhline(chance, color=QUIET, lw=0.9, linestyle=":")
        axes.annotate(
            f"chance: {percent(chance)} of the patches are landslides",
            (0.01, chance),
            xytext=(0, 4),
            textcoords="offset points",
            color=QUIET,
            fontsize=8,
        )
        axes.grid(False)
        axes.set(
            xlim=(0, 1),
            ylim=(0, 1.02),
            xlabel="Recall (share of landslides found)",
            ylabel="Precision (share of alarms that are landslides)",
        )
        axes.legend(
            title="Average precision", loc="upper left", bbox_to_anchor=(1.09, 1), alignment="left"
        )


def _scores(table: EnsembleOof) -> dict[str, Floats]:
    return {ENSEMBLE: table.probability, **table.members}


def _both_classes(labels: Labels) -> bool:
    return 0 < int(labels.sum()) < len(labels)


def _mark(axes: Axes, x: float, y: float, label: str | None = "threshold in force") -> None:
    """A circle where the threshold in force lies."""
    axes.plot(
        [x],
        [y],
        "o",
        color="white",
        markeredgecolor=INK,
        markeredgewidth=1.8,
        markersize=8,
        zorder=5,
        clip_on=False,
        label=label,
    )


def _draw_equal_f1(axes: Axes) -> None:
    """Lines on which precision and recall have the same F1."""
    recall = np.linspace(0.01, 1, 400)
    for level in (0.5, 0.6, 0.7, 0.8, 0.9):
        precision = level * recall / np.maximum(2 * recall - level, 1e-9)
        shown = (2 * recall > level) & (precision <= 1)
        axes.plot(recall[shown], precision[shown], color=FAINT, lw=0.9, zorder=1)
        axes.annotate(
            f"F1 {level}",
            (1, level / (2 - level)),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
            color=QUIET,
            fontsize=8,
        )
