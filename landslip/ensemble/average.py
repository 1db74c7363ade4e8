"""The mean of several predictions of the same patches."""

import numpy as np
from numpy.typing import NDArray


def average(probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean with equal weights.

    Parameters
    ----------
    probabilities : (member, n)
        Of models, or of one model's folds; at least one.

    Returns
    -------
    (n,), between the smallest and the largest probability of each patch
    """
    mean: NDArray[np.float64] = probabilities.mean(axis=0)
    # Rounding may carry a mean of equal values just past them.
    return mean.clip(probabilities.min(axis=0), probabilities.max(axis=0))
