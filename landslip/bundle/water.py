"""Open water: dark in near infrared, and darker there than in green."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from landslip.bundle.record import WaterRecord

# Above the offset, in 10^-4 of reflectance: clear water lies below 0.05, snow above 0.3.
_DARK = 1500.0
# Fewer water patches than these say nothing about the next one.
_ENOUGH = 50


def is_water(images: NDArray[np.float32], names: Sequence[str], water: WaterRecord) -> Any:
    """(n,) of images (n, channel, row, column): by the medians of each."""
    places = [list(names).index(water[key]) for key in ("green", "nir")]
    green, nir = np.median(images[:, places].reshape(len(images), 2, -1), axis=2).T
    return by_medians(green, nir, water["dark"])


def by_medians(green: Any, nir: Any, dark: float) -> NDArray[np.bool_]:
    """(n,) by the medians of a patch in green and near infrared."""
    found: NDArray[np.bool_] = (nir < green) & (nir < dark)
    return found


def dark_limit(offset: float | None) -> float:
    """Near infrared of water lies below, in its channel's numbers."""
    return (offset or 0.0) + _DARK


def describe_water(
    medians: Mapping[str, NDArray[np.float64]],
    labels: NDArray[np.int8],
    *,
    green: str,
    nir: str,
    offset: float | None,
) -> WaterRecord:
    """How water is told, and what the training says of it.

    Parameters
    ----------
    medians
        Channel -> (n,) median of each training patch.
    labels
        (n,), 0 or 1.
    green, nir
        Channels of reflectance.
    offset
        What their numbers hold beyond reflectance; None: nothing known.
    """
    dark = dark_limit(offset)
    wet = by_medians(medians[green], medians[nir], dark)
    patches, positives = int(wet.sum()), int(labels[wet].sum())
    return {
        "green": green,
        "nir": nir,
        "dark": dark,
        "patches": patches,
        "positives": positives,
        "skipped": patches >= _ENOUGH and positives == 0,
    }
