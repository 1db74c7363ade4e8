"""Checks of the radar: unit, radiometry, what is subtracted from what, zeros and enlargement."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from landslip.scene.layers import SIDES, Layer, Layers, Look
from landslip.scene.sample import RawFacts, Sample
from landslip.scene.verdicts import Verdict, skipped, verdict

# Correlation of the two orbits' means: -0.66 over the training patches of land, which are not
# flattened; flattened products agree, for what is left is what the ground is made of.
AGREE = 0.3
# Pixels of a side of the squares whose means are compared.
_SQUARE = 16
# Share of pixels from which on zeros, absurd values or repeated neighbours are no chance.
_ZEROS, _ABSURD, _REPEATED = 1e-3, 1e-3, 0.2
# Squared step to the next pixel over that to the third; enlarged by interpolation it falls to 0.1.
_SMOOTH = 0.15
# dB. The median of VH over land lies at -20 to -13 in real chips and in simulated mountains, its
# upper quartile at -16 to -11. Amplitude that is taken for power has half of the true dB, power
# that is taken for amplitude twice. Open water lies near -30 and proves nothing.
_POWER_MOST, _AMPLITUDE_LEAST = -9.0, -22.0
# VV less VH, dB: medians of real images over land lie 5 to 7 apart; what depolarises wholly, 0.
_CROSS = 0.5
_FAMILY = {"S1A": "S1A/S1B", "S1B": "S1A/S1B", "S1C": "S1C/S1D", "S1D": "S1C/S1D"}
# Seconds by which passes of one relative orbit differ in the time of day.
_SAME_TRACK = 90


def settle_units(layers: Layers, raw: dict[Layer, RawFacts]) -> Layers:
    """Take values below 0 for dB where nobody says the unit; what is left is taken for power."""

    def settled(look: Look) -> Look:
        if look.vv.unit != "unknown":
            return look
        unit: Literal["db", "power"] = "db" if raw[look.vv].median < 0 else "power"
        source = "the values" if unit == "db" else "nobody"
        return replace(
            look,
            vv=replace(look.vv, unit=unit),
            vh=replace(look.vh, unit=unit),
            unit_source=source,
        )

    radar = {
        orbit: {side: [settled(look) for look in sides[side]] for side in SIDES}
        for orbit, sides in layers.radar.items()
    }
    return replace(layers, radar=radar)


def check_unit(sample: Sample, layers: Layers) -> Verdict:
    """Power and amplitude are never negative; backscatter in dB mostly is."""
    if not layers.looks:
        return skipped("unit", "there is no radar")
    todo = "say what it is: unit: power, amplitude or db"
    for look in layers.looks:
        vv, vh = sample.raw[look.vv], sample.raw[look.vh]
        where, unit = look.vv.file, look.vv.unit
        if vv.count == 0:
            continue
        if look.unit_source == "nobody":
            return verdict(
                "unit",
                f"{where}: neither the scene file nor the file's name says whether the values are "
                "power or amplitude",
                refused=True, number=vv.median, limit="median of VV, power about 0.1, "
                "amplitude about 0.3", todo=todo,
            )  # fmt: skip
        if unit == "db" and not -40 < vv.median < -2:
            return verdict(
                "unit",
                f"{where}: {look.unit_source} says dB, but the values do not look like dB",
                refused=True, number=vv.median, limit="median of VV, -40 to -2 in dB", todo=todo,
            )  # fmt: skip
        if unit != "db" and vv.negative > _ABSURD:
            return verdict(
                "unit",
                f"{where}: {look.unit_source} says {unit}, but some values are negative",
                refused=True, number=vv.negative, limit=f"share below 0, {_ABSURD:g} at most",
                todo=todo,
            )  # fmt: skip
        if vh.count and (gap := _decibels(unit, vv.land) - _decibels(unit, vh.land)) < _CROSS:
            return verdict(
                "unit",
                f"{where}: VH is as bright as VV; are they exchanged, or one of them another band?",
                refused=True, number=gap,
                limit=f"median of VV less that of VH over land, {_CROSS:g} dB or more",
                todo="check which band is which",
            )  # fmt: skip
        if vh.count and (against := _contradicted(unit, vh)):
            number, limit = against
            other = "amplitude" if unit == "power" else "power"
            return verdict(
                "unit",
                f"{where}: {look.unit_source} says {unit}, but the values look like {other}",
                refused=True, number=number, limit=limit, todo=todo,
            )  # fmt: skip
    vv = sample.raw[layers.looks[0].vv]
    units = ", ".join(sorted({look.vv.unit for look in layers.looks}))
    return verdict(
        "unit", f"values are {units}", number=vv.median, limit="median of the first file's VV"
    )


def _decibels(unit: str, value: float) -> float:
    if unit == "db":
        return value
    return float({"power": 10, "amplitude": 20}[unit] * np.log10(max(value, 1e-9)))


def _contradicted(unit: str, vh: RawFacts) -> tuple[float, str] | None:
    """What VH over land says against power or amplitude, dB, and the limit; None: nothing."""
    middle, high = _decibels(unit, vh.land), _decibels(unit, vh.land_high)
    if unit == "power" and middle > _POWER_MOST:
        return middle, f"median of VH over land, {_POWER_MOST:g} dB at most"
    if unit == "amplitude" and high < _AMPLITUDE_LEAST:
        return high, f"upper quartile of VH over land, {_AMPLITUDE_LEAST:g} dB or more"
    return None


def square_means(values: NDArray[np.float32]) -> NDArray[np.float64]:
    """Means of squares of (square, row, column); those with too little data are left out as NaN."""
    count, rows, columns = values.shape
    down, across = rows // _SQUARE, columns // _SQUARE
    cut = values[:, : down * _SQUARE, : across * _SQUARE].astype(np.float64)
    blocks = cut.reshape(count, down, _SQUARE, across, _SQUARE)
    there = np.isfinite(blocks)
    total = np.where(there, blocks, 0).sum(axis=(2, 4))
    number = there.sum(axis=(2, 4))
    means: NDArray[np.float64] = np.where(
        number > _SQUARE**2 / 2, total / np.maximum(number, 1), np.nan
    ).ravel()
    return means


def orbit_correlation(sample: Sample) -> float | None:
    """Correlation of VV of the two orbits over land; None where it cannot be had."""
    if not {"desc_vv", "asc_vv"} <= set(sample.names):
        return None
    descending = square_means(sample.channel("desc_vv"))
    ascending = square_means(sample.channel("asc_vv"))
    # Water is dark in both and would make them agree.
    land = np.isfinite(descending + ascending) & (np.maximum(descending, ascending) > -17)
    if land.sum() < 30:
        return None
    return float(np.corrcoef(descending[land], ascending[land])[0, 1])


def check_radiometry(sample: Sample, layers: Layers, flattened: bool) -> Verdict:
    """The bundle knows one radiometry; slopes tell which a scene has.

    Parameters
    ----------
    flattened
        The bundle was trained on gamma0, terrain-flattened.
    """
    if not layers.looks:
        return skipped("radiometry", "there is no radar")
    wanted = "gamma0" if flattened else "sigma0"
    declared = {look.radiometry for look in layers.looks}
    wrong = sorted(each for each in declared if each not in (None, wanted))
    agreement = orbit_correlation(sample)
    limit = f"correlation of the orbits, {'above' if flattened else 'below'} {AGREE:g}"
    product = "an RTC product" if flattened else "geocoded ground range data, not terrain-flattened"
    todo = f"take {product}, as the bundle was trained on"
    if wrong:
        return verdict(
            "radiometry",
            f"the scene's radar is {', '.join(wrong)}, the bundle's {wanted}",
            refused=True, number=agreement, limit=limit, todo=todo,
        )  # fmt: skip
    if agreement is None:
        return verdict(
            "radiometry",
            f"one orbit or too little land: only the metadata support {wanted}",
            warning=None in declared,
            todo=todo,
        )
    convicted = agreement < -AGREE if flattened else agreement > AGREE
    other = "sigma0, not flattened" if flattened else "gamma0, flattened (or of flat ground)"
    return verdict(
        "radiometry",
        f"the correlation of the orbits suggests {other}"
        if convicted
        else f"the orbits do not contradict {wanted}",
        refused=convicted and None in declared, warning=convicted,
        number=agreement, limit=limit, todo=todo,
    )  # fmt: skip


def check_pairs(layers: Layers) -> Verdict:
    """A change is one between images of one relative orbit, radiometry and platform family."""
    if not layers.looks:
        return skipped("pairs", "there is no radar")
    for orbit, sides in layers.radar.items():
        looks = [look for side in SIDES for look in sides[side]]
        twice = {look.vv for look in sides["before"]} & {look.vv for look in sides["after"]}
        if twice:
            return verdict(
                "pairs",
                f"{orbit}: {next(iter(twice)).file} is named both before and after",
                refused=True, number=float(len(twice)), limit="0",
                todo="name each image on one side",
            )  # fmt: skip
        facts: dict[str, set[Any]] = {
            "relative orbits": {look.relative_orbit for look in looks} - {None},
            "platform families": {_FAMILY.get(look.platform or "") for look in looks} - {None},
            "radiometries": {look.radiometry for look in looks},
            "products": {look.product for look in looks},
        }
        for what, found in facts.items():
            if len(found) > 1:
                names = ", ".join(sorted(str(each) for each in found))
                return verdict(
                    "pairs",
                    f"{orbit}: several {what} between before and after ({names})",
                    refused=True, number=float(len(found)), limit="1",
                    todo="take all images of an orbit from one track and one product",
                )  # fmt: skip
        apart = _seconds_apart(looks)
        if apart > _SAME_TRACK and len({look.relative_orbit for look in looks} - {None}) != 1:
            return verdict(
                "pairs",
                f"{orbit}: the times of day differ as those of several relative orbits",
                refused=True, number=apart, limit=f"{_SAME_TRACK} s",
                todo="take all images of an orbit from one track",
            )  # fmt: skip
    return verdict("pairs", "each orbit is one track, one product and one platform family")


def _seconds_apart(looks: Iterable[Look]) -> float:
    """Largest difference of the times of day, seconds; 0 where none is known."""
    seconds = []
    for look in looks:
        if look.time and "T" in look.time:
            hours, minutes, rest = look.time.split("T")[1].split(":")
            seconds.append(int(hours) * 3600 + int(minutes) * 60 + float(rest))
    return max(seconds) - min(seconds) if seconds else 0.0


def check_looks(sample: Sample, layers: Layers, composite: str) -> Verdict:
    """The change that the bundle knows is one of medians over several dates."""
    if not layers.looks:
        return skipped("looks", "there is no radar")
    fewest = min(len(sides["before"]) for sides in layers.radar.values())
    name = next(each for each in sample.names if each.endswith("_diff_vv"))
    change = sample.channel(name)
    change = change[np.isfinite(change)]
    spread = float(change.std()) if change.size else 0.0
    return verdict(
        "looks",
        f"{fewest} images before; VV changes with a standard deviation of {spread:.1f} dB "
        "(2.2 dB in the training patches, 3.1 dB from one pair)",
        warning=composite == "median" and fewest < 3,
        number=float(fewest), limit="3 images before or more",
        todo="name more images of the 60 days before",
    )  # fmt: skip


def check_zeros(sample: Sample) -> Verdict:
    """Zeros and fill values that nobody declared are no data, and would pass for it."""
    worst, share = "", 0.0
    for layer, facts in sample.raw.items():
        # The logarithm of 0 is no number: in power and amplitude zeros are no data anyway.
        bad = facts.zero if layer.unit in ("db", "reflectance_1e4") else 0.0
        bad += facts.absurd if layer.unit in ("db", "reflectance_1e4") else 0.0
        if bad > share:
            worst, share = layer.file, bad
    return verdict(
        "zeros",
        f"{worst} holds fill values that are not declared as nodata"
        if share > _ZEROS
        else "no undeclared fill values",
        refused=share > _ZEROS, number=share, limit=f"share of pixels, {_ZEROS:g} at most",
        todo="set nodata for this file in the scene file (nodata: 0), or in the file itself",
    )  # fmt: skip


def check_spacing(
    sample: Sample, layers: Layers, native: dict[str, float], pixel: float
) -> Verdict:
    """Images of 30 m enlarged to 10 m have other statistics, whatever their grid.

    Parameters
    ----------
    native
        File -> metres of its own pixels.
    pixel
        Metres of the scene's pixels.
    """
    todo = "take data of 10 m; a bundle that was trained on 10 m knows no other"
    if not 9 <= pixel <= 11:
        return verdict(
            "spacing", "the scene's pixels are not of 10 m", refused=True, number=pixel,
            limit="9 to 11 m", todo=todo,
        )  # fmt: skip
    for look in layers.looks:
        widest = max(look.spacing or 0.0, native.get(look.vv.file, 0.0))
        if widest > 15:
            return verdict(
                "spacing", f"{look.vv.file} has pixels of {widest:g} m", refused=True,
                number=widest,
                limit="15 m at most", todo=todo,
            )  # fmt: skip
    for look in layers.looks:
        facts = sample.raw[look.vv]
        if facts.repeated > _REPEATED:
            return verdict(
                "spacing", f"{look.vv.file} was upsampled by repeating pixels", refused=True,
                number=facts.repeated, limit=f"share of equal neighbours, {_REPEATED:g} at most",
                todo=todo,
            )  # fmt: skip
    smoothest = min((sample.raw[look.vv].smoothness for look in layers.looks), default=1.0)
    return verdict(
        "spacing",
        "an image is as smooth as one upsampled from coarser pixels"
        if smoothest < _SMOOTH
        else "pixels are as sharp as expected at 10 m",
        warning=smoothest < _SMOOTH, number=smoothest,
        limit=f"squared difference to the next over that to the third pixel, above {_SMOOTH:g}",
        todo=todo,
    )  # fmt: skip
