"""Precision of a map's zones, from the verdicts that a reviewer wrote into zones.gpkg."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import scipy.stats
from numpy.typing import NDArray

from landslip.assess.filled import NO, WORDS, YES, as_word
from landslip.assess.population import read_layer
from landslip.assess.recalibrate import Bound, Recalibrated, recalibrate
from landslip.data.problems import shortened
from landslip.io.files import InputError, write_json, write_text
from landslip.io.templates import template_environment

UNSURE = {"unsure", "unclear", "?"}
_NEEDED = ("rank", "probability", "verdict")
# Thresholds in the table of the page, about.
_LISTED = 12


@dataclass(frozen=True, kw_only=True)
class Verdicts:
    """Zones of a map, and what a reviewer says of them."""

    probability: NDArray[np.float64]
    """(zone,) largest."""
    yes: NDArray[np.bool_]
    """(zone,) holds a landslide."""
    no: NDArray[np.bool_]
    unsure: NDArray[np.bool_]
    geometry: list[Any]
    columns: Mapping[str, NDArray[Any]]
    """All of the layer."""

    @property
    def judged(self) -> NDArray[np.bool_]:
        """(zone,) yes or no."""
        return self.yes | self.no

    @property
    def threshold(self) -> float:
        """In force, the highest where it differs with sensors; just below all zones if unknown."""
        said = np.asarray(self.columns.get("threshold", []), np.float64)
        said = said[np.isfinite(said)]
        return float(said.max()) if len(said) else float(np.nextafter(self.probability.min(), 0))


def read_verdicts(zones: Path) -> Verdicts:
    """Read a zones.gpkg whose column `verdict` a reviewer filled.

    Raises
    ------
    InputError
        The file is no zones.gpkg, a verdict is no known word, or no zone was judged.
    """
    if not zones.is_file():
        raise InputError(f"verdicts: {zones} is not there; name the filled copy of zones.gpkg")
    geometry, columns = read_layer(zones, "zones")
    missing = [name for name in _NEEDED if name not in columns]
    if missing:
        raise InputError(f"{zones}: the layer zones lacks the columns {', '.join(missing)}")
    words = [as_word(value) for value in columns["verdict"]]
    unknown = [
        f"zone {rank} ({word})"
        for rank, word in zip(columns["rank"], words, strict=True)
        if word and word not in YES | NO | UNSURE
    ]
    if unknown:
        raise InputError(
            f"{zones}: {len(unknown)} verdicts are none of {WORDS} or unsure: {shortened(unknown)}"
        )
    found = Verdicts(
        probability=np.asarray(columns["probability"], np.float64),
        yes=np.array([word in YES for word in words], np.bool_),
        no=np.array([word in NO for word in words], np.bool_),
        unsure=np.array([word in UNSURE for word in words], np.bool_),
        geometry=geometry,
        columns=columns,
    )
    if not found.judged.any():
        raise InputError(f"{zones}: no zone has a verdict; write {WORDS} into the column verdict")
    return found


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
    said = read_verdicts(zones)
    better = recalibrate(
        said.probability, said.judged, said.yes,
        in_force=said.threshold, wanted=precision, bound=bound, confidence=confidence,
    )  # fmt: skip
    found = {
        **measure_precision(said.probability, said.judged, said.yes, confidence),
        "unsure": int(said.unsure.sum()),
        "threshold": said.threshold if "threshold" in said.columns else None,
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
