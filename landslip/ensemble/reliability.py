"""Predicted probability against the observed share of landslides, in bins."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import binomtest

from landslip.io.arrays import Floats, Labels

BINS = 10


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
        probability; observed, the share of landslides; low and high, its 95 % interval
        (Wilson's, sensible near 0 and 1 and in small bins).
    """
    place = bin_of(probability)
    patches = np.bincount(place, minlength=BINS)
    held = np.flatnonzero(patches)
    n = patches[held].astype(np.float64)
    hits = np.bincount(place, weights=labels, minlength=BINS)[held].astype(np.float64)
    bounds = [
        binomtest(int(hit), int(of)).proportion_ci(0.95, "wilson")
        for hit, of in zip(hits, n, strict=True)
    ]
    return pd.DataFrame(
        {
            "from": held / BINS,
            "to": (held + 1) / BINS,
            "patches": patches[held],
            "predicted": np.bincount(place, weights=probability, minlength=BINS)[held] / n,
            "observed": hits / n,
            "low": [bound.low for bound in bounds],
            "high": [bound.high for bound in bounds],
        }
    )
