"""Precision of a map's zones, from the verdicts that a reviewer wrote into zones.gpkg."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import scipy.stats
from numpy.typing import NDArray

from landslip.assess.filled import NO, WORDS, YES, as_word, some
from landslip.assess.population import read_layer
from landslip.io.files import InputError, write_json

_NEEDED = ("rank", "probability", "verdict")


def write_precision(zones: Path, confidence: float, target: Path) -> None:
    """Write what the verdicts say.

    Parameters
    ----------
    zones
        zones.gpkg with the column `verdict` filled.
    confidence
        Of the intervals.
    target
        JSON; see `measure_precision`.

    Raises
    ------
    InputError
        The file is no zones.gpkg, a verdict is no known word, or there is none.
    """
    if not zones.is_file():
        raise InputError(f"verdicts: {zones} is not there; name the filled copy of zones.gpkg")
    columns = read_layer(zones, "zones")[1]
    missing = [name for name in _NEEDED if name not in columns]
    if missing:
        raise InputError(f"{zones}: the layer zones lacks the columns {', '.join(missing)}")
    words = np.array([as_word(value) for value in columns["verdict"]], object)
    unknown = [
        f"zone {rank} ({word})"
        for rank, word in zip(columns["rank"], words, strict=True)
        if word and word not in YES | NO
    ]
    if unknown:
        raise InputError(f"{zones}: {len(unknown)} verdicts are none of {WORDS}: {some(unknown)}")
    judged = words != ""
    if not judged.any():
        raise InputError(f"{zones}: no zone has a verdict; write {WORDS} into the column verdict")
    right = np.array([word in YES for word in words])
    write_json(target, measure_precision(columns["probability"], judged, right, confidence))


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
