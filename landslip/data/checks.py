"""What surveyed patches show to be wrong with the data, as sentences for a refusal."""

from collections.abc import Mapping, Sequence, Sized
from dataclasses import dataclass

import numpy as np
import pandas as pd

from landslip.data.problems import Item, Problem
from landslip.data.summary import Summary

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
    summary: Summary, channels: Mapping[str, str], units: Mapping[str, tuple[Interval, Interval]]
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
        known = np.isfinite(summary.magnitude[i])
        magnitude = float(summary.magnitude[i]) if known else None
        plausible, expected = units[unit]
        guess, one_sided = "", False
        if magnitude is not None:
            least = float(summary.low[i])
            one_sided = plausible[0] < 0 <= least
            if one_sided:
                guess = "linear power or a ratio: take 10 log10"
            elif least >= 0 and magnitude < expected[0] <= 1e4 * magnitude <= expected[1]:
                guess = "reflectance from 0 to 1: multiply by 10^4"
        checks.append(UnitCheck(channel, unit, magnitude, expected, guess, one_sided))
    return checks


def find_faults(
    table: pd.DataFrame, summary: Summary, channels: Sequence[str], *, drop: bool, fill: bool
) -> list[Problem]:
    """Patches that stop the work, a problem for each kind of fault.

    Parameters
    ----------
    table
        id and split of the patches.
    drop
        Unreadable patches will be set aside, and are no fault.
    fill
        NaN and infinity will be filled, and are no fault.
    """
    problems = []
    for kind, what in (
        ("pickled", "hold Python objects or a pickle, and nothing was unpickled"),
        ("dtype", "hold no integers or floats"),
        (
            "layout",
            f"lack the shape that {len(channels)} channels in the config and most patches give",
        ),
        (
            "unreadable",
            "are truncated or unreadable; get them again, or set data.on_bad_patch: drop to set "
            "them aside",
        ),
    ):
        faults = {row: fault for row, fault in sorted(summary.faults.items()) if fault.kind == kind}
        if faults and not (kind == "unreadable" and drop):
            items = _items(
                table,
                {row: (fault.reason, fault.detail) for row, fault in faults.items()},
            )
            problems.append(Problem(f"{_patches(items)} {what}", items))
    if summary.nonfinite and not fill:
        notes = {
            row: ", ".join(f"{channels[i]}: {counts[i]}" for i in np.flatnonzero(counts).tolist())
            for row, counts in sorted(summary.nonfinite.items())
        }
        total = np.sum(list(summary.nonfinite.values()), axis=0)
        hit = [channels[i] for i in np.flatnonzero(total).tolist()]
        items = _items(table, {row: ("", note) for row, note in notes.items()})
        problems.append(
            Problem(
                f"{_patches(items)} hold NaN or infinity, as float32, in {', '.join(hit)}; mend "
                "them, or set data.on_nonfinite: fill. Id (split, channel: pixels)",
                items,
            )
        )
    return problems


def _patches(rows: Sized) -> str:
    return f"{len(rows):,} patches" if len(rows) != 1 else "1 patch"


def _items(table: pd.DataFrame, notes: Mapping[int, tuple[str, str]]) -> list[Item]:
    """Patches by their row, each with the reason and what holds for it alone."""
    chosen = table.iloc[list(notes)]
    return [
        Item(str(patch), reason, f"{split}, {note}" if note else str(split))
        for patch, split, (reason, note) in zip(
            chosen["id"], chosen["split"], notes.values(), strict=True
        )
    ]
