"""Checks of place and time: grids, dates, orbits, what overlaps and what is missing."""

from __future__ import annotations

import datetime
from dataclasses import replace
from itertools import combinations

import numpy as np

from landslip.scene.layers import SENSORS, SIDES, Layers
from landslip.scene.names import orbit_by_hour, solar_hour
from landslip.scene.rasters import Grid
from landslip.scene.sample import Sample
from landslip.scene.verdicts import Verdict, skipped, verdict

PATCH = 64
# Days between the middles of before and after, seen from the year's turn.
_SEASON = 75
_YEAR = 365.25
_ANISOTROPY = 0.05


def check_resampling(moved: list[str], method: str | None) -> Verdict:
    """Nearest pixels tear speckle apart, and cubic weights reach over edges without data.

    Parameters
    ----------
    moved
        Files that lie on another grid than the scene, masks left out.
    """
    if not moved or method is None:
        return verdict("resampling", "every file lies on the scene's grid; nothing is resampled")
    return verdict(
        "resampling",
        f"{len(moved)} files are brought to the scene's grid by {method}, {moved[0]} first",
        refused=method in ("nearest", "cubic"), number=float(len(moved)), limit="files",
        todo="set align: {method: bilinear}, or average from finer pixels",
    )  # fmt: skip


def check_anisotropy(grid: Grid) -> Verdict:
    """On a grid of degrees a patch is no square: at 45 degrees it is 640 m x 453 m."""
    across, down = grid.pixel_metres()
    away = abs(across / down - 1)
    return verdict(
        "anisotropy",
        f"pixels are {across:.2f} m x {down:.2f} m",
        warning=away > _ANISOTROPY, number=away, limit=f"{_ANISOTROPY:g} at most",
        todo="export the scene in UTM",
    )  # fmt: skip


def check_size(grid: Grid) -> Verdict:
    """A scene smaller than a patch is padded with no data."""
    least = min(grid.width, grid.height)
    return verdict(
        "size",
        f"{grid.width} x {grid.height} pixels",
        warning=least < PATCH, number=float(least), limit=f"{PATCH} pixels or more",
        todo="it is padded with no data; take a larger part of the scene",
    )  # fmt: skip


def check_dates(layers: Layers) -> Verdict:
    """Before is before the event, and after is after."""
    event = layers.event
    early = [
        (look.day, look.vv.file)
        for sides in layers.radar.values()
        for look in sides["after"]
        if look.day is not None and look.day < event
    ]
    late = [
        (look.day, look.vv.file)
        for sides in layers.radar.values()
        for look in sides["before"]
        if look.day is not None and look.day >= event
    ]
    if layers.optical is not None and layers.optical.date and layers.optical.date < event:
        early.append((layers.optical.date, "the optical image"))
    swapped = early and late
    wrong = [*early, *late]
    unknown = sum(look.day is None for look in layers.looks)
    unknown += layers.optical is not None and layers.optical.date is None
    if not wrong:
        undated = f"{unknown} images have no date"
        return verdict(
            "dates",
            undated if unknown else "before and after lie around the event",
            warning=unknown > 0, number=float(unknown), limit="images without a date, 0",
            todo="give date: to each",
        )  # fmt: skip
    day, file = wrong[0]
    return verdict(
        "dates",
        f"{file} of {day} is on the wrong side of the event of {event}"
        + ("; before and after are exchanged" if swapped else ""),
        refused=True, number=float(len(wrong)), limit="images on the wrong side, 0",
        todo="move it to the other side, or correct the event's date",
    )  # fmt: skip


def check_season(layers: Layers) -> Verdict:
    """A change from winter to summer is one of leaves, snow and water, not of slides."""
    farthest = 0.0
    for sides in layers.radar.values():
        middles = []
        for side in SIDES:
            days = [datetime.date.fromisoformat(look.day) for look in sides[side] if look.day]
            if days:
                middles.append(_middle_of_year(days))
        if len(middles) == 2:
            apart = abs(middles[1] - middles[0])
            farthest = max(farthest, min(apart, _YEAR - apart))
    if not layers.looks:
        return skipped("season", "there is no radar")
    return verdict(
        "season",
        "before and after are of different seasons" if farthest > _SEASON else
        "before and after are of one season",
        warning=farthest > _SEASON, number=farthest,
        limit=f"days between the seasons of before and after, {_SEASON} at most",
        todo="take images of the 60 days before, or of the same season a year ago",
    )  # fmt: skip


def _middle_of_year(days: list[datetime.date]) -> float:
    """Middle of some days of the year; those of December and January lie side by side."""
    turns = np.array([day.timetuple().tm_yday for day in days]) / _YEAR * 2 * np.pi
    return float(np.angle(np.exp(1j * turns).mean()) / (2 * np.pi) * _YEAR)


def check_orbit(layers: Layers, longitude: float) -> Verdict:
    """Ascending passes come in the evening and descending ones in the morning, local time."""
    timed = [
        (orbit, look)
        for orbit, sides in layers.radar.items()
        for side in SIDES
        for look in sides[side]
        if look.time and "T" in look.time
    ]
    if not timed:
        return skipped("orbit", "no name gives the time of day")
    for orbit, look in timed:
        assert look.time is not None
        hour = solar_hour(datetime.datetime.fromisoformat(look.time), longitude)
        found = orbit_by_hour(hour)
        if found != orbit:
            return verdict(
                "orbit",
                f"{look.vv.file} was taken on the {found} orbit and stands under {orbit}",
                refused=True, number=hour, limit="local solar time, about 6 h descending, 18 h "
                "ascending", todo=f"move it to radar.{found}",
            )  # fmt: skip
    return verdict("orbit", f"{len(timed)} images stand under the orbit that their time tells")


def hold_against_names(found: Verdict, layers: Layers) -> Verdict:
    """A verdict, refused where the scene file says of the same other things than products' names.

    Names of products follow rules, so one of both is wrong: the file, or the name of what was made
    of a product.
    """
    clashes = [
        look.contradictions[found.check]
        for look in layers.looks
        if found.check in look.contradictions
    ]
    if not clashes or found.judgement == "refused":
        return found
    return replace(
        found,
        judgement="refused", says=clashes[0], number=float(len(clashes)),
        limit="images whose entry in the scene file contradicts the product's name, 0",
        todo="correct what is wrong, or give a file that you made of a product another name",
    )  # fmt: skip


def check_overlap(sample: Sample) -> Verdict:
    """Sensors that see nothing of one another's ground were given for another place."""
    sensors = {"optical": "red", "descending": "desc_vv", "ascending": "asc_vv"}
    there = {
        sensor: np.isfinite(sample.channel(name))
        for sensor, name in sensors.items()
        if name in sample.names
    }
    shares = {sensor: float(seen.mean()) for sensor, seen in there.items()}
    words = ", ".join(f"{sensor} {share:.0%}" for sensor, share in shares.items())
    radar = [seen for sensor, seen in there.items() if sensor != "optical"]
    blind = [sensor for sensor, share in shares.items() if share == 0]
    # Clouds may hide the optics wholly; radar that sees nothing lies elsewhere.
    if any(sensor != "optical" for sensor in blind) or len(blind) == len(shares):
        return verdict(
            "overlap",
            f"{', '.join(blind)} has no data anywhere in the scene ({words})",
            refused=True, number=0.0, limit="share with data, above 0",
            todo="check that the files are of one place",
        )  # fmt: skip
    both = float((radar[0] & radar[1]).mean()) if len(radar) == 2 else min(shares.values())
    apart = [
        f"{one} and {other}"
        for one, other in combinations(sorted(set(there) - set(blind)), 2)
        if not (there[one] & there[other]).any()
    ]
    return verdict(
        "overlap",
        "; ".join([f"pixels with data: {words}", *(f"{pair} share no ground" for pair in apart)]),
        warning=bool(apart), number=0.0 if apart else both, limit="share, above 0",
        todo="check that the files are of one place",
    )  # fmt: skip


def check_missing(layers: Layers, wanted: list[str]) -> Verdict:
    """Members that need what is not there are left out, or given no data.

    Parameters
    ----------
    wanted
        Channels of the bundle.
    """
    absent = set(wanted) - set(layers.channels)
    gone = [sensor for sensor, own in SENSORS.items() if not absent.isdisjoint(own)]
    return verdict(
        "missing",
        f"the scene lacks {', '.join(gone)}, which the bundle reads"
        if gone
        else "the scene has every sensor that the bundle reads",
        warning=bool(gone), number=float(len(gone)), limit="sensors, 0",
        todo="members that need them are left out; the map says where",
    )  # fmt: skip
