"""One look at the pixels of a patch: their range, and a sample that units are judged by."""

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from landslip.data.nodata import DATA, FAR

# Pixels of each channel that the medians are taken of, over all patches, and of one patch.
_SAMPLE, _SAMPLE_OF_PATCH = 1_000_000, 64


@dataclass(frozen=True)
class Sampled:
    """What units and the order of channels are judged by, of n patches' values in float32."""

    low: NDArray[np.float32]
    """(n, channel) least pixel with data, NaN where there is none."""
    magnitude: NDArray[np.float32]
    """(n, channel) median absolute value of sampled pixels of the patch, NaN where there is no
    data."""
    sample: NDArray[np.float32]
    """(n, pixel, channel) pixels at the same random positions of every patch, NaN where constant
    or without data. Pixels far outside the plausible range stay: they tell a wrong unit."""


class Seen(NamedTuple):
    """What one patch holds."""

    low: NDArray[np.float32]
    """(channel,) least pixel with data, NaN where there is none."""
    high: NDArray[np.float32]
    """(channel,) greatest."""
    magnitude: NDArray[np.float32]
    """(channel,) median absolute value of the sampled pixels."""
    sample: NDArray[np.float32]
    """(channel, pixel) see `Sampled`; before it is cut to what is kept of each patch."""


def pixels_kept(patches: int, pixels: int) -> int:
    """How many sampled pixels are kept of each of so many patches of so many pixels."""
    return min(_SAMPLE_OF_PATCH, pixels, max(1, _SAMPLE // max(1, patches)))


def see_patch(bands: NDArray[np.float32], codes: NDArray[np.uint8] | None) -> Seen:
    """Look at the pixels of a patch.

    Parameters
    ----------
    bands : (channel, pixel)
        Pixels without data become NaN.
    codes : (channel, pixel)
        What each pixel is, as `landslip.data.nodata.find_no_data` says; None: all is data.
    """
    sampled = _sample(bands, codes)
    if codes is not None:
        bands[codes != DATA] = np.nan
    # fmin and fmax pass over NaN, without the warning of nanmin where there is nothing else
    low, high = np.fmin.reduce(bands, axis=1), np.fmax.reduce(bands, axis=1)
    silent = ~(low < high)
    if codes is not None:
        silent &= ~(codes == FAR).any(axis=1)
    sampled[silent] = np.nan
    return Seen(low, high, _median(np.abs(sampled)), sampled)


def _sample(bands: NDArray[np.float32], codes: NDArray[np.uint8] | None) -> NDArray[np.float32]:
    """(channel, pixel) at the sampled positions, NaN where there is no data; FAR stays."""
    positions = _positions(bands.shape[1])
    sampled = bands[:, positions]
    if codes is not None:
        sampled_codes = codes[:, positions]
        sampled[(sampled_codes != DATA) & (sampled_codes != FAR)] = np.nan
    return sampled


@lru_cache
def _positions(pixels: int) -> NDArray[np.int64]:
    """The same positions for every patch, scattered: a grid could follow a pattern of the image."""
    return np.random.default_rng(0).choice(pixels, min(_SAMPLE_OF_PATCH, pixels), replace=False)


def _median(sampled: NDArray[np.float32]) -> NDArray[np.float32]:
    """Of each row, over what is no NaN; NaN where that is nothing."""
    if not np.isnan(sampled).any():
        return np.median(sampled, axis=1)
    finite = [row[~np.isnan(row)] for row in sampled]
    return np.array([np.median(row) if row.size else np.nan for row in finite], np.float32)
