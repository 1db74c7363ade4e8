"""What surveyed patches show to be wrong with the data, as sentences for a refusal."""

from collections.abc import Mapping, Sequence, Sized
from typing import Protocol

import numpy as np
import pandas as pd

from landslip.data.problems import Item, Problem
from landslip.data.summary import Missing, Summary

_OF_ONE = {"are": "is", "hold": "holds", "lack": "lacks"}


def find_faults(
    table: pd.DataFrame,
    summary: Summary,
    channels: Sequence[str],
    *,
    drop: bool,
    fill: bool,
    fill_zeros: bool,
) -> list[Problem]:
    """Patches that stop the work, a problem for each kind of fault.

    Parameters
    ----------
    table
        id and split of the patches.
    summary
        What the surveys found, in the order of `table`.
    channels
        Names, in order.
    drop
        Unreadable patches will be set aside, and are no fault.
    fill
        NaN, infinity and values that mean no data will be filled, and are no fault.
    fill_zeros
        Zeros of a whole group of channels will be filled, and are no fault.
    """
    problems = []
    for kind, verb, what in (
        ("pickled", "hold", "Python objects or a pickle, and nothing was unpickled"),
        ("dtype", "hold", "no integers or floats"),
        (
            "layout",
            "lack",
            f"the shape that {len(channels)} channels in the config and most patches give",
        ),
        (
            "unreadable",
            "are",
            "truncated or unreadable; get them again, or set data.on_bad_patch: drop to set "
            "them aside",
        ),
    ):
        faults = {row: fault for row, fault in sorted(summary.faults.items()) if fault.kind == kind}
        if faults and not (kind == "unreadable" and drop):
            items = _items(
                table,
                {row: (fault.reason, fault.detail) for row, fault in faults.items()},
            )
            problems.append(Problem(f"{_patches(items, verb)} {what}", items))
    if not fill:
        holes = {row: _holes(found, channels) for row, found in summary.missing.items()}
        kinds = {
            "NaN or infinity": any(found.nonfinite.any() for found in summary.missing.values()),
            "values that mean no data": any(f.sentinel.any() for f in summary.missing.values()),
        }
        problems += _no_data(
            table,
            {row: counts for row, counts in holes.items() if counts},
            f"{' or '.join(kind for kind, found in kinds.items() if found)}, as float32",
            "mend them, or set data.on_nonfinite: fill; units.*.plausible and .nodata say which "
            "values are data",
        )
    if not fill_zeros:
        problems += _no_data(
            table,
            {
                row: {name: str(found.zero[i]) for i, name in enumerate(channels) if found.zero[i]}
                for row, found in summary.missing.items()
                if found.zero.any() and not summary.empty[row]
            },
            "zeros in all channels of a sensor at once",
            "mend them, or set data.on_zeros: fill",
        )
    return problems


def _holes(found: Missing, channels: Sequence[str]) -> dict[str, str]:
    """Channel -> `3`, or `3, as -9999`: how many pixels without data, and their usual value."""
    counts = found.nonfinite + found.sentinel
    return {
        channels[i]: f"{counts[i]}"
        + (f", as {found.sentinel_value[i]:.6g}" if found.sentinel[i] else "")
        for i in np.flatnonzero(counts).tolist()
    }


def _no_data(
    table: pd.DataFrame, found: Mapping[int, Mapping[str, str]], what: str, todo: str
) -> list[Problem]:
    """One problem of all patches with such pixels, if there are any."""
    if not found:
        return []
    hit = dict.fromkeys(name for holes in found.values() for name in holes)
    notes = {
        row: ("", ", ".join(f"{name}: {text}" for name, text in holes.items()))
        for row, holes in sorted(found.items())
    }
    which = f"{_patches(notes, 'hold')} {what}, in {', '.join(hit)}"
    return [Problem(f"{which}; {todo}. Id (split, channel: pixels)", _items(table, notes))]


class PatchFinding(Protocol):
    """Something that is wrong with some patches."""

    @property
    def rows(self) -> list[int]:
        """Of the patches."""
        ...

    @property
    def sentence(self) -> str:
        """To stand after their number and a colon."""
        ...


def describe_wrong(table: pd.DataFrame, found: Sequence[PatchFinding]) -> list[Problem]:
    """Patches that are no good, with their share of each split.

    Parameters
    ----------
    table
        All patches.
    found
        Their rows, and a sentence to stand after their number and a colon, such as
        `landslip.data.units.wrong_patches` finds.
    """
    problems = []
    for wrong in found:
        shares = " and ".join(
            f"{int((table['split'].iloc[wrong.rows] == split).sum()):,} of {len(rows):,} {split}"
            for split, rows in table.groupby("split", sort=False)
        )
        items = _items(table, dict.fromkeys(wrong.rows, ("", "")))
        problems.append(Problem(f"{shares} patches: {wrong.sentence}", items))
    return problems


def _patches(rows: Sized, verb: str) -> str:
    if len(rows) == 1:
        return f"1 patch {_OF_ONE[verb]}"
    return f"{len(rows):,} patches {verb}"


def _items(table: pd.DataFrame, notes: Mapping[int, tuple[str, str]]) -> list[Item]:
    """Patches by their row, each with the reason and what holds for it alone."""
    chosen = table.iloc[list(notes)]
    return [
        Item(str(patch), reason, f"{split}, {note}" if note else str(split))
        for patch, split, (reason, note) in zip(
            chosen["id"], chosen["split"], notes.values(), strict=True
        )
    ]
