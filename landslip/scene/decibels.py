"""Backscatter in dB, and the median of several looks."""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.float32]

LOWEST, HIGHEST = -70.0, 40.0
"""Beyond these dB no ground scatters: what stands there means that there is no data."""


def to_decibels(values: Image, unit: str) -> Image:
    """Backscatter in dB.

    Parameters
    ----------
    values : any shape
    unit : power, amplitude or db

    Returns
    -------
    The same shape; NaN where there is none: zero and negative power have no logarithm, and values
    such as -9999 that nobody declared are no backscatter.
    """
    if unit == "db":
        known: Image = np.where(
            (values >= LOWEST) & (values <= HIGHEST), values, np.float32(np.nan)
        )
        return known
    factor = np.float32({"power": 10.0, "amplitude": 20.0}[unit])
    positive = np.where(values > 0, values, np.float32(np.nan))
    decibels: Image = factor * np.log10(positive)
    return decibels


def median_of_looks(looks: NDArray[np.float32]) -> Image:
    """Median over the first axis of those that are there.

    Parameters
    ----------
    looks : (look, row, column), NaN where a look has no data

    Returns
    -------
    (row, column), NaN where no look has data; of an even number, the mean of the middle two
    """
    if len(looks) == 1:
        only: Image = looks[0]
        return only
    target = np.empty(looks.shape[1:], np.float32)
    _median(np.ascontiguousarray(looks), target)
    return target


@numba.njit(cache=True)
def _median(looks: NDArray[np.float32], target: Image) -> None:
    count = looks.shape[0]
    values = np.empty(count, np.float32)
    for i in range(looks.shape[1]):
        for j in range(looks.shape[2]):
            found = 0
            for k in range(count):
                value = looks[k, i, j]
                if np.isnan(value):
                    continue
                at = found
                while at > 0 and values[at - 1] > value:
                    values[at] = values[at - 1]
                    at -= 1
                values[at] = value
                found += 1
            if found == 0:
                target[i, j] = np.nan
            elif found % 2:
                target[i, j] = values[found // 2]
            else:
                target[i, j] = (values[found // 2 - 1] + values[found // 2]) / np.float32(2)
