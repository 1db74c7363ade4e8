"""What surveyed patches show to be wrong with the data, as sentences for a refusal."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from landslip.data.inputs import shortened
from landslip.data.survey import Survey

Interval = tuple[float, float]


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
    """The unit's values lie on both sides of zero, and not one pixel is negative."""

    @property
    def fits(self) -> bool:
        """Also where there is nothing to judge by."""
        low, high = self.expected
        if self.magnitude is None:
            return True
        return low <= self.magnitude <= high and not self.negative_missing

    @property
    def sentence(self) -> str:
        """What was expected and found."""
        low, high = self.expected
        found = f"the median magnitude of its pixels is {self.magnitude:.4g}"
        if self.negative_missing:
            found += " and not one is negative"
        return (
            f"channel {self.channel} (unit {self.unit}): {found}, expected {low:g} to {high:g}"
            + (" on both sides of zero" if self.negative_missing else "")
            + (f"; it looks like {self.guess}" if self.guess else "")
        )


def check_units(
    survey: Survey, channels: Mapping[str, str], units: Mapping[str, tuple[Interval, Interval]]
) -> list[UnitCheck]:
    """Compare each channel's median magnitude with the range of its unit.

    Parameters
    ----------
    channels
        Name -> unit.
    units
        Unit -> (plausible, magnitude).
    """
    checks = []
    for i, (channel, unit) in enumerate(channels.items()):
        pixels = survey.sample[:, :, i]
        pixels = np.abs(pixels[np.isfinite(pixels)])
        magnitude = float(np.median(pixels)) if pixels.size else None
        plausible, expected = units[unit]
        guess, one_sided = "", False
        if magnitude is not None:
            least = float(np.fmin.reduce(survey.low[:, i]))
            one_sided = plausible[0] < 0 <= least
            if one_sided:
                guess = "linear power or a ratio: take 10 log10"
            elif least >= 0 and magnitude < expected[0] <= 1e4 * magnitude <= expected[1]:
                guess = "reflectance from 0 to 1: multiply by 10^4"
        checks.append(UnitCheck(channel, unit, magnitude, expected, guess, one_sided))
    return checks


def find_faults(
    table: pd.DataFrame, survey: Survey, channels: Sequence[str], *, drop: bool, fill: bool
) -> list[str]:
    """Patches that stop the work, a sentence for each kind of fault.

    Parameters
    ----------
    table
        id and split of the patches.
    drop
        Unreadable patches will be set aside, and are no fault.
    fill
        NaN and infinity will be filled, and are no fault.
    """
    faults = []
    for fault, what in (
        ("pickled", "hold Python objects or a pickle, and nothing was unpickled"),
        ("dtype", "hold no integers or floats"),
        (
            "layout",
            f"lack the shape that {len(channels)} channels in the config and the first patch give",
        ),
    ):
        for reason in dict.fromkeys(survey.reason[survey.fault == fault].tolist()):
            rows = _where(survey.fault, fault) & _where(survey.reason, reason)
            faults.append(f"{_patches(rows)} {what}: {reason}\n  {_ids(table, rows)}")
    unreadable = _where(survey.fault, "unreadable")
    if unreadable.any() and not drop:
        reasons = [f" ({reason})" for reason in survey.reason.tolist()]
        listed = _ids(table, unreadable, notes=reasons, limit=len(table))
        faults.append(
            f"{_patches(unreadable)} are truncated or unreadable; get them again, or set "
            f"data.on_bad_patch: drop to set them aside\n  {listed}"
        )
    nonfinite = np.asarray(survey.nonfinite.any(axis=1), np.bool_)
    if nonfinite.any() and not fill:
        notes = [
            " (" + ", ".join(f"{channels[i]}: {row[i]}" for i in np.flatnonzero(row).tolist()) + ")"
            for row in survey.nonfinite
        ]
        hit = [channels[i] for i in np.flatnonzero(survey.nonfinite.any(axis=0)).tolist()]
        faults.append(
            f"{_patches(nonfinite)} hold NaN or infinity, as float32, in {', '.join(hit)}; mend "
            "them, or set data.on_nonfinite: fill. Id (channel: pixels):\n  "
            f"{_ids(table, nonfinite, notes=notes)}"
        )
    return faults


def _where(values: NDArray[np.str_], value: str) -> NDArray[np.bool_]:
    return np.asarray(values == value, np.bool_)


def _patches(rows: NDArray[np.bool_]) -> str:
    count = int(np.count_nonzero(rows))
    return f"{count} patches" if count != 1 else "1 patch"


def _ids(
    table: pd.DataFrame,
    rows: NDArray[np.bool_],
    *,
    notes: Sequence[str] | None = None,
    limit: int = 10,
) -> str:
    """`train: A, B; test: C`, the first of each."""
    parts = []
    for split in ("train", "test"):
        positions = np.flatnonzero(rows & (table["split"] == split).to_numpy())
        names = [f"{table['id'].iloc[i]}{notes[i] if notes else ''}" for i in positions.tolist()]
        if names:
            parts.append(f"{split}: {shortened(names, limit)}")
    return "; ".join(parts)
