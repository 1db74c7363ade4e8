"""Whether pixels are as large as their unit says: by channel, by split and patch by patch."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from landslip.data.sampling import Sampled
from landslip.data.summary import Summary

Interval = tuple[float, float]

ENOUGH = 30
"""Patches that channels are judged by as a whole. A split with fewer is judged with the other: a
few patches of a town or a lake are not like their unit's pixels in general."""
# One patch is in another unit where all its channels of the unit are so many times beyond the
# interval that a whole data set's medians lie in.
_BEYOND = 10
_NEARLY_ALL = 0.9
# What is wrong with a patch's pixels of a unit, in the codes of `judge_patches`.
FITS, SMALL, LARGE, ONE_SIDED = range(4)


@dataclass(frozen=True)
class UnitRange:
    """What values of a unit look like."""

    plausible: Interval
    magnitude: Interval
    """The median absolute value of a channel's pixels lies inside."""
    quantity: str | None = None
    """reflectance, backscatter or change (both in dB); None: any other."""

    @property
    def decibel(self) -> bool:
        """Whether the unit is decibels, whose values lie on both sides of zero."""
        return self.quantity in ("backscatter", "change")


@dataclass(frozen=True)
class UnitCheck:
    """Whether a channel's pixels are as large as its unit says."""

    channel: str
    unit: str
    magnitude: float | None
    """Median absolute value of sampled pixels; None where no patch has data."""
    expected: Interval
    guess: str
    """What may explain the mistake, or empty."""
    negative_missing: bool = False
    """The unit is of decibels, and not one pixel is negative."""
    splits: tuple[str, ...] = ()
    """Splits that alone do not fit."""

    @property
    def fits(self) -> bool:
        """Whether the channel fits its unit, as far as there are pixels to judge by."""
        low, high = self.expected
        if self.splits:
            return False
        if self.magnitude is None:
            return True
        return low <= self.magnitude <= high and not self.negative_missing

    @property
    def sentence(self) -> str:
        """A sentence on what was expected and what was found."""
        low, high = self.expected
        of = f" in {' and '.join(self.splits)}" if self.splits else ""
        found = f"the median magnitude of its pixels{of} is {self.magnitude:.4g}"
        if self.negative_missing:
            found += " and not one is negative"
        return (
            f"channel {self.channel} (unit {self.unit}): {found}, expected {low:g} to {high:g}"
            + (" on both sides of zero" if self.negative_missing else "")
            + (f"; it looks like {self.guess}" if self.guess else "")
        )


@dataclass(frozen=True)
class WrongPatches:
    """Patches whose pixels of a unit, all channels together, are in another."""

    unit: str
    code: int
    rows: list[int]
    expected: Interval

    @property
    def sentence(self) -> str:
        """What is wrong with them, to stand after their number and a colon."""
        low, high = self.expected
        return f"in every channel of unit {self.unit} " + {
            SMALL: f"the median magnitude is below {low / _BEYOND:g}; they look like reflectance "
            "from 0 to 1: multiply by 10^4",
            LARGE: f"the median magnitude is above {_BEYOND * high:g}, expected up to {high:g}",
            ONE_SIDED: "not one pixel is negative; they look like linear "
            "power or amplitude: take 10 or 20 log10",
        }.get(self.code, "")


def split_samples(summary: Summary) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """Splits that can be judged by themselves, with their sampled pixels (pixel, channel)."""
    for split, rows in (
        ("train", slice(None, summary.train)),
        ("test", slice(summary.train, None)),
    ):
        sample = summary.sample[rows]
        if len(sample) >= ENOUGH:
            yield split, sample.reshape(-1, sample.shape[2])


def check_units(
    summary: Summary, channels: Mapping[str, str], units: Mapping[str, UnitRange]
) -> list[UnitCheck]:
    """Compare each channel's median magnitude with the range of its unit.

    The splits are judged one by one where each has enough patches, so that a small one cannot
    hide behind the other; a split that alone does not fit is named.

    Parameters
    ----------
    summary
        What the surveys found.
    channels
        Name -> unit.
    units
        By name.
    """
    everywhere = summary.sample.reshape(-1, len(channels))
    checks = check_channels(everywhere, channels, units)
    parts = {
        split: check_channels(sample, channels, units) for split, sample in split_samples(summary)
    }
    for i in range(len(checks)):
        wrong = [split for split, found in parts.items() if not found[i].fits]
        if wrong and len(wrong) < len(parts):
            checks[i] = replace(parts[wrong[0]][i], splits=tuple(wrong))
    return checks


def check_channels(
    sample: NDArray[np.float32], channels: Mapping[str, str], units: Mapping[str, UnitRange]
) -> list[UnitCheck]:
    """Compare each channel's median magnitude with the range of its unit.

    Parameters
    ----------
    sample : (pixel, channel)
        Of `ENOUGH` patches or more.
    channels, units
        See `check_units`.
    """
    checks = []
    for i, (channel, unit) in enumerate(channels.items()):
        pixels = sample[:, i]
        pixels = pixels[np.isfinite(pixels)]
        expected, quantity = units[unit].magnitude, units[unit].quantity
        magnitude = float(np.median(np.abs(pixels))) if pixels.size else None
        guess, one_sided = "", False
        if magnitude is not None:
            one_sided = units[unit].decibel and bool((pixels >= 0).all())
            if one_sided:
                guess = "linear power or a ratio: take 10 log10"
            elif quantity == "reflectance" and (
                magnitude < expected[0] <= 1e4 * magnitude <= expected[1]
            ):
                guess = "reflectance from 0 to 1: multiply by 10^4"
        checks.append(UnitCheck(channel, unit, magnitude, expected, guess, one_sided))
    return checks


def judge_patches(
    seen: Sampled, channels: Sequence[str], units: Mapping[str, UnitRange]
) -> dict[str, NDArray[np.uint8]]:
    """What is wrong with the pixels of each patch, for each unit of a known quantity.

    One channel alone says little: water is dark in near infrared, and change may be nil. All
    channels of a unit far beyond its magnitudes at once are in another unit, and backscatter in
    dB is nowhere above zero in all pixels of a patch.

    Parameters
    ----------
    seen
        Patches, such as the survey of a shard.
    channels
        The unit of each.
    units
        By name.

    Returns
    -------
    dict
        Unit -> (n,) FITS, SMALL, LARGE or ONE_SIDED.
    """
    judged = {}
    for unit in dict.fromkeys(channels):
        quantity, (least, greatest) = units[unit].quantity, units[unit].magnitude
        if quantity is None:
            continue
        columns = [i for i, name in enumerate(channels) if name == unit]
        medians, low = seen.magnitude[:, columns], seen.low[:, columns]
        known = np.isfinite(medians)
        codes = np.full(len(medians), FITS, np.uint8)
        with np.errstate(invalid="ignore"):
            if quantity == "reflectance":
                dark = (medians > 0) & (medians < least / _BEYOND)
                codes[(~known | dark).all(axis=1)] = SMALL
            if quantity == "backscatter":
                # where all is far outside, no pixel is left to have a least one of
                codes[(~known | ~(low < 0)).all(axis=1)] = ONE_SIDED
            codes[(~known | (medians > _BEYOND * greatest)).all(axis=1)] = LARGE
        codes[~known.any(axis=1)] = FITS
        judged[unit] = codes
    return judged


def wrong_patches(summary: Summary, units: Mapping[str, UnitRange]) -> list[WrongPatches]:
    """Patches in another unit than the rest.

    Where nearly all patches are alike wrong, none is listed: the channels' own checks say it.
    """
    found = []
    for unit, codes in summary.judged.items():
        for code in (SMALL, LARGE, ONE_SIDED):
            rows = np.flatnonzero(codes == code).tolist()
            if rows and len(rows) < _NEARLY_ALL * (summary.usable - int(summary.empty.sum())):
                found.append(WrongPatches(unit, code, rows, units[unit].magnitude))
    return found
