"""Days on which landslides happened, and whether a scene's images show what slid then."""

import datetime
import re
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from landslip.data.problems import shortened
from landslip.io.files import InputError
from landslip.scene.layers import Layers

Days = NDArray[np.datetime64]
Unknown = Literal["refuse", "use", "drop"]

SHOWN, ABSENT, UNCERTAIN = 1, 0, -1
"""A slide is in the images; it came later; nobody can say, or only some of them show it."""

_NOTHING = {"", "unknown", "unk", "na", "n/a", "nan", "nat", "none", "null", "-", "?"}
_DAY = re.compile(
    r"(?P<year>\d{4})([-/.]?)(?P<month>\d{2})\2(?P<day>\d{2})"
    r"(?:[T ](?P<hour>\d{1,2}):?(?P<minute>\d{2})?[\d:.]*"
    r"(?:Z|(?P<sign>[+-])(?P<hours>\d{2}):?(?P<minutes>\d{2}))?)?"
)


def as_days(values: NDArray[Any], where: str) -> Days:
    """Read a column of dates.

    Parameters
    ----------
    values : (n,)
        Dates, or year, month and day in this order: 2018-01-28, 2018/01/28, 20180128 (text or
        whole number), a time of day after it or not. With an offset from UTC, as in
        2018-01-28T23:30-08:00, the day is that of UTC, as the images' days are.
    where
        File and column, for the message.

    Returns
    -------
    (n,) datetime64[D], NaT where a value is empty or says that it is unknown

    Raises
    ------
    InputError
        Values that are no date, with their number, the first of them and what is expected.
    """
    if np.issubdtype(values.dtype, np.datetime64):
        return values.astype("datetime64[D]")
    days = np.full(len(values), np.datetime64("NaT"), "datetime64[D]")
    wrong = []
    for at, value in enumerate(values):
        text = _text(value)
        if text.lower() in _NOTHING:
            continue
        day = _day(text)
        if day is None:
            wrong.append(f"{text!r} (feature {at + 1})")
        else:
            days[at] = day
    if wrong:
        raise InputError(
            f"{where}: {len(wrong)} of {len(values)} values are no date: {shortened(wrong)}; "
            "expected year, month and day, such as 2018-01-28, or nothing where it is unknown"
        )
    return days


def _text(value: Any) -> str:
    if value is None:
        return ""
    # A whole number with a gap in its column comes as 20180128.0.
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    return str(value).strip()


def _day(text: str) -> np.datetime64 | None:
    found = _DAY.fullmatch(text)
    if found is None:
        return None
    part = {name: int(found[name] or 0) for name in found.groupdict() if name != "sign"}
    try:
        when = datetime.datetime(part["year"], part["month"], part["day"])
        if found["sign"]:
            local = datetime.timedelta(hours=part["hour"], minutes=part["minute"])
            ahead = datetime.timedelta(hours=part["hours"], minutes=part["minutes"])
            when += local - ahead if found["sign"] == "+" else local + ahead
    except (ValueError, OverflowError):
        return None
    return np.datetime64(when.date(), "D")


@dataclass(frozen=True, kw_only=True)
class SceneDays:
    """When a scene was seen; a day that no image says is None."""

    last_before: np.datetime64 | None
    first_after: np.datetime64 | None
    last_after: np.datetime64 | None


def scene_days(layers: Layers) -> SceneDays:
    """Days of a scene's acquisitions; of the optics they are after the event."""
    sides: dict[str, list[str]] = {"before": [], "after": []}
    for orbit in layers.radar.values():
        for side, days in sides.items():
            days += [look.day for look in orbit[side] if look.day]
    if layers.optical is not None and layers.optical.date:
        sides["after"].append(layers.optical.date)
    before, after = ([np.datetime64(day, "D") for day in sorted(days)] for days in sides.values())
    return SceneDays(
        last_before=before[-1] if before else None,
        first_after=after[0] if after else None,
        last_after=after[-1] if after else None,
    )


def slides_in_images(
    dates: Days, days: SceneDays, unknown: Unknown, scene: str
) -> tuple[NDArray[np.int8], list[str]]:
    """Which slides of an inventory a scene's images show.

    Parameters
    ----------
    dates : (n,)
        Days of the slides, NaT where unknown.
    days
        Of the scene's images.
    unknown
        A slide without a day: refuse, use (the images show it) or drop (uncertain).
    scene
        Its name, for messages.

    Returns
    -------
    state : (n,) int8
        SHOWN: from the last image before the event to the first after it, both days included.
        ABSENT: later than the last image; the land is as it was. UNCERTAIN: between the images
        after the event, so that some show it and some do not; or earlier than the last image
        before it, so that there is no change and yet a scar; or of an unknown day, with drop.
    notes
        How many are not simply shown, and why.

    Raises
    ------
    InputError
        Slides without a day, and `unknown` is refuse; with their number.
    """
    none = np.isnat(dates)
    if none.any() and unknown == "refuse":
        raise InputError(
            f"{none.sum()} of {len(dates)} landslides in scene {scene} have no date; write it into "
            "the column label.date_column, or set label.unknown_date: use (the images show them) "
            "or drop (windows that they touch are left out)"
        )
    no = np.zeros(len(dates), np.bool_)
    later = no if days.last_after is None else dates > days.last_after
    between = no if days.first_after is None else ~later & (dates > days.first_after)
    older = no if days.last_before is None else dates < days.last_before
    state = np.full(len(dates), SHOWN, np.int8)
    state[later] = ABSENT
    state[between | older] = UNCERTAIN
    if unknown == "drop":
        state[none] = UNCERTAIN
    undated = ~none if days.last_after is None else no
    masks = {
        "have a date, but the scene's images after the event have none; they count as "
        "shown": undated,
        f"are later than the scene's last image ({days.last_after}) and count as not there": later,
        f"are of days between the scene's images after the event (from {days.first_after}), so "
        "windows that they touch are left out": between,
        f"are older than the scene's last image before the event ({days.last_before}), so windows "
        "that they touch are left out": older,
        "have no date and count as shown"
        if unknown == "use"
        else "have no date, so windows that they touch are left out": none,
    }
    notes = [
        f"scene {scene}: {mask.sum()} of {len(dates)} landslides {what}"
        for what, mask in masks.items()
        if mask.any()
    ]
    return state, notes
