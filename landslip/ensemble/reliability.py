"""Predicted probability against the observed share of landslides, in bins."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from landslip.io.arrays import Floats, Labels

BINS = 10
_Z = 1.959963984540054  # 97.5 % of the normal distribution


def bin_of(probability: Floats) -> NDArray[np.int64]:
    """Which of BINS equally wide bins; a bin holds its lower edge, the last 1 too."""
    return np.minimum((probability * BINS).astype(np.int64), BINS - 1)


def reliability(labels: Labels, probability: Floats) -> pd.DataFrame:
    """Observed share of landslides in equal bins of predicted probability.

    Parameters
    ----------
    labels : (n,)
        0 or 1.
    probability : (n,)
        In [0, 1].

    Returns
    -------
    DataFrame
        A row for each bin that holds a patch: from, to, its edges; patches; predicted, the mean
        probability; observed, the share of landslides; low and high, its 95 % interval.
    """
    place = bin_of(probability)
    patches = np.bincount(place, minlength=BINS)
    held = np.flatnonzero(patches)
    n = patches[held].astype(np.float64)
    hits = np.bincount(place, weights=labels, minlength=BINS)[held].astype(np.float64)
    low, high = wilson(hits, n)
    return pd.DataFrame(
        {
            "from": held / BINS,
            "to": (held + 1) / BINS,
            "patches": patches[held],
            "predicted": np.bincount(place, weights=probability, minlength=BINS)[held] / n,
            "observed": hits / n,
            "low": low,
            "high": high,
        }
    )


def wilson(hits: Floats, n: Floats) -> tuple[Floats, Floats]:
    """95 % intervals of shares: sensible near 0 and 1 and for small n.

    Parameters
    ----------
    hits, n : (bin,)
        Of how many each share is; n is above 0.

    Notes
    -----
    E. B. Wilson (1927), J. Am. Stat. Assoc. 22, 209-212.
    """
    share = hits / n
    scale = 1 + _Z**2 / n
    centre = (share + _Z**2 / (2 * n)) / scale
    half = _Z * np.sqrt(share * (1 - share) / n + _Z**2 / (4 * n**2)) / scale
    return np.maximum(centre - half, 0.0), np.minimum(centre + half, 1.0)
