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
    """What may explain a magnitude outside, or empty."""

    @property
    def fits(self) -> bool:
        """Also where there is nothing to judge by."""
        low, high = self.expected
        return self.magnitude is None or low <= self.magnitude <= high

    @property
    def sentence(self) -> str:
        """What was expected and found."""
        low, high = self.expected
        return (
            f"channel {self.channel} (unit {self.unit}): the median magnitude of its pixels is "
            f"{self.magnitude:.4g}, expected {low:g} to {high:g}"
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
        expected = units[unit][1]
        guess = ""
        if magnitude is not None and not expected[0] <= magnitude <= expected[1]:
            guess = _guess(magnitude, float(np.fmin.reduce(survey.low[:, i])), expected)
        checks.append(UnitCheck(channel, unit, magnitude, expected, guess))
    return checks


def _guess(magnitude: float, least: float, expected: Interval) -> str:
    """The usual mistakes, where they explain the magnitude; a logarithm needs positive pixels."""
    low, high = expected
    if least < 0 or magnitude == 0:
        return ""
    if low <= abs(10 * np.log10(magnitude)) <= high:
        return "linear power: take 10 log10"
    if low <= magnitude * 1e4 <= high:
        return "reflectance from 0 to 1: multiply by 10^4"
    return ""


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
