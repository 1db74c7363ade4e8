"""Which pixels of a patch hold no data: the one mask that survey, copies and store apply."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

# What a pixel is, in the codes of `find_no_data`.
DATA, NONFINITE, SENTINEL, FAR, ZERO = range(5)

# Finite values that programs write where there is no data, or where a sensor is saturated. They
# count where a unit's pixels cannot lie: 9999 of reflectance is data, -9999 is not. -1000 is the
# nought of Sentinel-2's pixels without data once the offset is taken off; dark ones begin at -999,
# which is no data only in units that are negative by nature.
_USUAL = (
    -99999.0, -32768.0, -32767.0, -10000.0, -9999.0, -1000.0, 32767.0, 65535.0, 1e20, -1e20,
)  # fmt: skip
_OF_SIGNED = (*_USUAL, -999.0)

# Fewer channels than these can be zero at once on real ground, as dark water is in red and nir.
_ZEROS_AT_ONCE = 3


@dataclass(frozen=True)
class NoData:
    """What tells pixels without data, for each channel of the patches.

    Finite values are no data where they are declared so, where they are outside the plausible
    interval and a usual sentinel or farther outside than the interval is wide, and where all
    channels of a group are exactly zero at once. What merely lies outside stays data.
    """

    plausible: Sequence[tuple[float, float]]
    """Least and greatest plausible value of each channel, in its unit."""
    values: Sequence[Sequence[float]]
    """Values that mean no data, of each channel."""
    zeros: Sequence[Sequence[int]] = ()
    """Groups of channels, by number, that are never all zero on real ground."""

    @cached_property
    def _bounds(self) -> NDArray[np.float32]:
        """(2, channel): what lies within is data unless it is declared or zero."""
        return np.array(self.plausible, np.float32).reshape(-1, 2).T

    @cached_property
    def _limits(self) -> list[tuple[float, float]]:
        """Of each channel: what lies beyond is no data."""
        greatest = float(np.finfo(np.float32).max)
        return [
            (max(2 * low - high, -greatest), min(2 * high - low, greatest))
            for low, high in self.plausible
        ]

    @cached_property
    def _sentinels(self) -> list[NDArray[np.float32]]:
        """Of each channel: values that are no data, as float32 has them."""
        return [
            np.array(
                [
                    *declared,
                    *(v for v in (_OF_SIGNED if low < 0 else _USUAL) if not low <= v <= high),
                ],
                np.float32,
            )
            for declared, (low, high) in zip(self.values, self.plausible, strict=True)
        ]

    @cached_property
    def _within(self) -> NDArray[np.bool_]:
        """(channel,) a declared value lies where pixels are plausible."""
        return np.array(
            [
                any(bounds[0] <= value <= bounds[1] for value in declared)
                for declared, bounds in zip(self.values, self.plausible, strict=True)
            ],
            np.bool_,
        )


def find_no_data(bands: NDArray[np.float32], rules: NoData) -> NDArray[np.uint8] | None:
    """Tell pixels with data from those without.

    Parameters
    ----------
    bands : (channel, pixel)
        In each channel's unit; NaN is allowed.
    rules
        What tells pixels without data.

    Returns
    -------
    (channel, pixel), or None where all is data
        DATA, NONFINITE (NaN or infinity), SENTINEL (a value that means no data), FAR (farther
        outside the plausible interval than that is wide) or ZERO (a whole group is zero).
    """
    # most patches are cleared by their least and greatest values; NaN fails every comparison
    low, high = bands.min(axis=1), bands.max(axis=1)
    least, greatest = rules._bounds
    doubtful = ~((low >= least) & (high <= greatest)) | rules._within
    blank = [(group, zero) for group in rules.zeros if (zero := _all_zero(bands, group)).any()]
    if not doubtful.any() and not blank:
        return None
    codes = np.zeros(bands.shape, np.uint8)
    for channel in np.flatnonzero(doubtful).tolist():
        pixels, code = bands[channel], codes[channel]
        first, last = rules._limits[channel]
        code[(pixels < first) | (pixels > last)] = FAR
        code[np.isin(pixels, rules._sentinels[channel])] = SENTINEL
        code[~np.isfinite(pixels)] = NONFINITE
    for group, zero in blank:
        for channel in group:
            codes[channel, zero & (codes[channel] == DATA)] = ZERO
    return codes if codes.any() else None


def _all_zero(bands: NDArray[np.float32], group: Sequence[int]) -> NDArray[np.bool_]:
    """(pixel,) where all channels of the group are exactly zero."""
    zero: NDArray[np.bool_] = bands[group[0]] == 0
    for channel in group[1:]:
        if not zero.any():
            break
        zero &= bands[channel] == 0
    return zero


def most_frequent(pixels: NDArray[np.float32]) -> float:
    """The most frequent of some values; NaN where there is none."""
    values, counts = np.unique(pixels, return_counts=True)
    return float(values[counts.argmax()]) if values.size else np.nan


def zero_groups(channels: Mapping[str, Any]) -> list[list[int]]:
    """Channels, by number, that are zero together only where an image ends.

    Parameters
    ----------
    channels
        Name -> quantity of its unit, in order.

    Returns
    -------
    list of groups
        All channels of reflectance, if there are three or more, and the two polarisations of each
        orbit's backscatter in dB.
    """
    names = list(channels)
    optical = [i for i, name in enumerate(names) if channels[name] == "reflectance"]
    groups = [optical] if len(optical) >= _ZEROS_AT_ONCE else []
    pairs = polarisations([name for name in names if channels[name] == "backscatter"])
    return groups + [[names.index(first), names.index(second)] for first, second in pairs]


def polarisations(names: Sequence[str]) -> list[tuple[str, str]]:
    """Pairs of channels (VV, VH) that differ in nothing but the polarisation in their names."""
    pairs = []
    for name in names:
        other = "_".join("vh" if part == "vv" else part for part in name.split("_"))
        if other != name and other in names:
            pairs.append((name, other))
    return pairs
