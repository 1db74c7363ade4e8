"""The figure of splits: scores by how patches were split, and the variogram beside it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from landslip.io.files import read_json
from landslip.report.plots import LogLocator
from landslip.report.style import BLUE, FAINT, INK, QUIET, VERMILION, draw_placeholder, drawing
from landslip.report.wording import count, score

# In kilometres; the words of the page say the same.
_KM = 1000.0
NAMES = {
    "kfold": "random, as in force",
    "stratified": "random, as in force",
    "grouped": "groups, as in force",
    "blocks": "blocks of ground, as in force",
    "scene": "whole scenes, as in force",
    "event": "whole events, as in force",
}


def draw_splits(splits: Path, target: Path) -> None:
    """Draw F1 and AUC of each split, and semivariance against distance.

    Parameters
    ----------
    splits
        As `landslip.report.splits.compare_splits` writes it.
    target
        PNG.
    """
    content = read_json(splits)
    with drawing(target, height=3.9) as figure:
        scores, curve = figure.subplots(1, 2, width_ratios=[1.1, 1])
        names = [split_name(row["split"], content["scheme"]) for row in content["rows"]]
        places = np.arange(len(names))[::-1]
        for key, colour, shift in (("f1", BLUE, 0.12), ("auc", VERMILION, -0.12)):
            each = [row[key] for row in content["rows"]]
            value = np.array([one["value"] for one in each])
            reach = np.array([[v["value"] - v["low"], v["high"] - v["value"]] for v in each]).T
            scores.errorbar(
                value, places + shift, xerr=np.maximum(reach, 0), fmt="o", color=colour, capsize=3,
                label={"f1": "F1", "auc": "AUC"}[key],
            )  # fmt: skip
        scores.set_yticks(places, names)
        scores.set(ylim=(-0.5, len(names) - 0.4), xlabel="Score of the same small trees")
        scores.legend(loc="upper left", bbox_to_anchor=(0, 1.14), ncols=2)
        _draw_variogram(curve, content)


def split_name(split: str, scheme: str) -> str:
    """What a split is called."""
    known = {"random": "random", "in force": NAMES[scheme], "scene": "whole scenes"}
    return known[split]


def _draw_variogram(axes: Any, content: Mapping[str, Any]) -> None:
    curve = content["variogram"]
    if not curve["distance"]:
        draw_placeholder(axes, "Too few patches of one scene\nfor a variogram.")
        return
    distance = np.array(curve["distance"]) / _KM
    axes.axhline(1, color=QUIET, lw=0.9, linestyle=":")
    axes.plot(distance, curve["label"], "o-", color=INK, ms=4, label="labels")
    axes.plot(distance, curve["residual"], "s--", color=BLUE, ms=4, label="left by the trees")
    if content["reach"] is not None:
        axes.axvline(content["reach"] / _KM, color=FAINT, lw=4, zorder=0)
    axes.set(
        xscale="log", ylim=(0, None), xlabel="Distance of two patches of a scene, km",
        ylabel="Semivariance (1: as any two)",
    )  # fmt: skip
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.xaxis.set_minor_formatter(lambda value, _: "")
    axes.legend(loc="lower right")


def splits_paragraph(splits: Path) -> str:
    """What a random split would have flattered, in words."""
    content = read_json(splits)
    by_split = {row["split"]: row for row in content["rows"]}
    random, force = by_split["random"], by_split["in force"]
    more = content["flattery"]["f1"]
    part = (
        ""
        if content["used"] == content["patches"]
        else f" (on {count(content['used'])} of {count(content['patches'])} patches, by groups)"
    )
    words = [
        f"With a random split the same small trees{part} reach F1 {score(random['f1']['value'])} "
        f"and AUC {score(random['auc']['value'])}; with the folds in force "
        f"{score(force['f1']['value'])} and {score(force['auc']['value'])}. The difference in F1, "
        f"{more['value']:+.3f} (95 % interval {more['low']:+.3f} to {more['high']:+.3f}, "
        f"{count(content['groups'])} groups drawn whole), is "
        + ("what the random split flatters." if more["low"] > 0 else "not above chance here.")
    ]
    if "scene" in by_split:
        scene = by_split["scene"]
        words.append(
            "On scenes that the trees saw nothing of they reach "
            f"{score(scene['f1']['value'])} and {score(scene['auc']['value'])}: that is "
            "nearest to the map of a new scene."
        )
    if content["reach"] is not None:
        words.append(
            f"Two patches of a scene are as different as any two from about "
            f"{content['reach'] / _KM:.2g} km on: blocks of ground should be larger than that."
        )
    elif content["variogram"]["distance"]:
        words.append(
            "Patches of a scene stay alike up to half of the scene's width, so only whole scenes "
            "are independent of one another."
        )
    return " ".join(words)
