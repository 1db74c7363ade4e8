"""The verdicts on a map's zones that a reviewer wrote into zones.gpkg."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from landslip.assess.filled import NO, WORDS, YES, as_word
from landslip.assess.population import read_layer
from landslip.data.problems import shortened
from landslip.io.files import InputError

UNSURE = {"unsure", "unclear", "?"}
_NEEDED = ("rank", "probability", "verdict")


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
        thresholds = np.asarray(self.columns.get("threshold", []), np.float64)
        thresholds = thresholds[np.isfinite(thresholds)]
        return (
            float(thresholds.max())
            if len(thresholds)
            else float(np.nextafter(self.probability.min(), 0))
        )


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
