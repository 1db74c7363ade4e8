"""Normalised differences of bands, appended to the bands as further channels."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

# The paper's, against division by zero.
_EPSILON = 1e-10


def add_indices(
    patches: NDArray[np.float32], pairs: Sequence[tuple[int, int]]
) -> NDArray[np.float32]:
    """Append (a - b) / (a + b + 1e-10), clipped to [-1, 1], for every pair of channels.

    Parameters
    ----------
    patches : (n, channel, row, column)
        Bands as they come, unscaled, finite.
    pairs
        Channel numbers (a, b).

    Returns
    -------
    (n, channel + pair, row, column)
        The bands, then the indices: finite for every finite pixel. Negative reflectance, which
        atmospheric correction makes over water and shadow, can bring the sum near zero and the
        quotient out of the range that an index has; hence the clip.
    """
    n, bands, rows, columns = patches.shape
    stacked = np.empty((n, bands + len(pairs), rows, columns), np.float32)
    stacked[:, :bands] = patches
    for number, (first, second) in enumerate(pairs, start=bands):
        a = patches[:, first].astype(np.float64)
        b = patches[:, second].astype(np.float64)
        with np.errstate(divide="ignore", invalid="ignore"):
            index = (a - b) / (a + b + _EPSILON)
        # 0 / 0, where a = b = -5e-11: no difference
        index[np.isnan(index)] = 0
        stacked[:, number] = np.clip(index, -1, 1, out=index)
    return stacked
