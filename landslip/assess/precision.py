"""Precision of a map's zones, from the verdicts of a reviewer."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import scipy.stats
from numpy.typing import NDArray

from landslip.assess.recalibrate import Bound, Recalibrated, recalibrate
from landslip.assess.verdicts import read_verdicts
from landslip.io.files import write_json, write_text
from landslip.io.templates import template_environment

# Thresholds in the table of the page, about.
_LISTED = 12


def write_precision(
    zones: Path, confidence: float, target: Path, page: Path, *, precision: float, bound: Bound
) -> None:
    """Write what the verdicts say.

    Parameters
    ----------
    zones
        zones.gpkg with the column `verdict` filled.
    confidence
        Of the intervals.
    target
        JSON; see `measure_precision`, and `recalibrated`, see there.
    page
        The same for a person.
    precision, bound
        That a recalibrated threshold is to reach; see `recalibrate`.

    Raises
    ------
    InputError
        See `read_verdicts`.
    """
    reviewed = read_verdicts(zones)
    better = recalibrate(
        reviewed.probability, reviewed.judged, reviewed.yes,
        in_force=reviewed.threshold, wanted=precision, bound=bound, confidence=confidence,
    )  # fmt: skip
    found = {
        **measure_precision(reviewed.probability, reviewed.judged, reviewed.yes, confidence),
        "unsure": int(reviewed.unsure.sum()),
        "threshold": reviewed.threshold if "threshold" in reviewed.columns else None,
        "recalibrated": {**asdict(better), "config": _config(better)},
    }
    write_json(target, found)
    environment = template_environment(__file__)
    every = max(len(found["by_threshold"]) // _LISTED, 1)
    write_text(
        page,
        environment.get_template("precision.html").render(
            **found, rows=found["by_threshold"][::every]
        ),
    )


def _config(better: Recalibrated) -> dict[str, Any] | None:
    """Keys that put a threshold in force."""
    return None if better.threshold is None else {"predict": {"threshold": better.threshold}}


def measure_precision(
    probability: NDArray[np.float64],
    judged: NDArray[np.bool_],
    right: NDArray[np.bool_],
    confidence: float,
) -> dict[str, Any]:
    """Share of zones that hold a landslide, with Wilson's interval.

    Parameters
    ----------
    probability, judged, right : (zone,)
        Largest probability; a reviewer judged it; it holds a landslide.
    confidence
        Of the intervals.

    Returns
    -------
    dict
        zones, judged, right, precision (at the threshold in force), complete (every zone was
        judged), by_threshold (the same where the threshold is raised to the probability of each
        zone that was judged) and words.

    Notes
    -----
    The interval takes the judged zones for a random part of those that such maps mark. Where only
    the first ranks were judged, the others hold fewer landslides than it says.
    """
    limits = np.unique(probability[judged])

    def above(limit: float) -> dict[str, Any]:
        there = judged & (probability >= limit)
        count, good = int(there.sum()), int((there & right).sum())
        low, high = scipy.stats.binomtest(good, count).proportion_ci(confidence, "wilson")
        return {
            "judged": count,
            "right": good,
            "precision": {"value": good / count, "low": float(low), "high": float(high)},
        }

    whole = above(-np.inf)
    left = len(judged) - whole["judged"]
    return {
        "zones": len(judged),
        **whole,
        "complete": not left,
        "confidence": confidence,
        "by_threshold": [{"threshold": float(limit), **above(limit)} for limit in limits],
        "words": "every zone was judged"
        if not left
        else f"{left} of {len(judged)} zones have no verdict; the precision is that of the judged "
        "alone, and of all only if these were chosen at random",
    }
