"""Checks of the optics: the offset of reflectance, and whether bands are what they are called."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from landslip.scene.layers import OpticalLayers
from landslip.scene.reader import WATER
from landslip.scene.sample import Sample
from landslip.scene.verdicts import Verdict, skipped, verdict

# Reflectance x 1e4 of the darkest hundredth, offset taken off. Of clear land it lay at 74 to 418
# in harmonised scenes and at 1126 in one whose offset was left in; twice taken off, it is -900.
DARKEST = (-400.0, 750.0)
# Reflectance x 1e4 of the brightest hundredth of all bands: 2700 to 6000 in real scenes, 400 of
# water alone; snow and clouds reach 20,000. Reflectance of 0 to 1, or of 8 bits, lies below.
BRIGHTEST = (400.0, 30_000.0)
# Share of clear pixels that must be dark ground, or nothing can be said: deserts have none.
_LEAST_DARK = 0.01
# Red less blue x 1e4 of the barest land: 36 to 1640 in scenes whose bands are right.
_BLUER = -20.0
_DARK, _VEGETATION = 2, 4


def check_offset(sample: Sample, optical: OpticalLayers | None, convention: float) -> Verdict:
    """Metadata say which offset the values carry; the dark pixels say whether that is true.

    Parameters
    ----------
    convention
        What the bundle's channels carry on top of reflectance x 1e4.
    """
    if optical is None:
        return skipped("offset", "there is no optical image")
    add = {layer.add for layer in optical.bands.values()}
    statement = f"{optical.offset_source} adds {', '.join(f'{value:g}' for value in sorted(add))}"
    bands = [sample.channel(name) - convention for name in ("red", "green", "blue", "nir")]
    red, nir = bands[0], bands[3]
    clear = np.isfinite(red)
    if wrong := _wrong_scale(optical, [band[clear] for band in bands]):
        return wrong
    dark_ground = clear & (nir + convention > 2 * np.maximum(red + convention, 1))
    if sample.classes is not None:
        dark_ground |= clear & np.isin(sample.classes, (_DARK, _VEGETATION, WATER))
    share = dark_ground.sum() / max(clear.sum(), 1)
    if clear.sum() < 500 or share < _LEAST_DARK:
        return verdict(
            "offset",
            f"{statement}; the scene has no dark ground to check it with",
            refused=optical.offset_source == "no metadata",
            todo="say scale and offset under `optical` (0.0001 and -0.1 since baseline 04.00)",
        )
    darkest = min(float(np.percentile(band[clear], 1)) for band in bands[:3])
    low, high = DARKEST
    limit = f"{low:g} to {high:g}"
    if optical.offset_source == "no metadata":
        guess = "-0.1" if darkest > high else "0"
        return verdict(
            "offset",
            "no metadata state the offset of the values",
            refused=True,
            number=darkest,
            limit=f"darkest hundredth x 1e4, {limit} with the right offset",
            todo="set scale: 0.0001 and offset under `optical`; the dark pixels suggest "
            f"offset: {guess}",
        )
    if low <= darkest <= high:
        says = f"{statement}, and dark pixels agree"
    elif darkest > high:
        says = f"{statement}, but the dark pixels suggest that about 1000 more must be subtracted"
    else:
        says = f"{statement}, but the dark pixels suggest that it has already been subtracted"
    return verdict(
        "offset",
        says,
        refused=not low <= darkest <= high,
        number=darkest,
        limit=f"darkest hundredth x 1e4, {limit}",
        todo="set scale and offset under `optical` to what the values really carry",
    )


def _wrong_scale(optical: OpticalLayers, clear: list[NDArray[np.float32]]) -> Verdict | None:
    """What is wrong with the scale, whatever the offset; None: nothing.

    Parameters
    ----------
    clear
        Reflectance x 1e4 of the clear pixels of each band.
    """
    todo = "set scale and offset under `optical` to what the values really carry"
    scales = {
        f"{name} * {layer.gain / 1e4:g} {layer.add * layer.gain / 1e4:+g}"
        for name, layer in optical.bands.items()
    }
    different = {(layer.add, layer.gain) for layer in optical.bands.values()}
    if len(different) > 1:
        return verdict(
            "offset",
            f"{optical.offset_source} gives the bands several scales or offsets "
            f"({', '.join(sorted(scales))}); those of one image have one",
            refused=True, number=float(len(different)), limit="1",
            todo="take all bands from one product, or set scale and offset under `optical`",
        )  # fmt: skip
    if optical.offset_source == "no metadata" or len(clear[0]) < 500:
        return None
    brightest = max(float(np.percentile(band, 99)) for band in clear)
    low, high = BRIGHTEST
    if low <= brightest <= high:
        return None
    return verdict(
        "offset",
        f"{next(iter(sorted(scales)))}, taken from {optical.offset_source}, does not give "
        "plausible reflectance",
        refused=True, number=brightest,
        limit=f"brightest hundredth of the bands x 1e4, {low:g} to {high:g}", todo=todo,
    )  # fmt: skip


def check_bands(sample: Sample, optical: OpticalLayers | None, convention: float) -> Verdict:
    """Vegetation is bright in the near infrared, and bare ground brighter in red than in blue."""
    if optical is None:
        return skipped("bands", "there is no optical image")
    red, blue, nir = (
        np.maximum(sample.channel(name) - convention, 1) for name in ("red", "blue", "nir")
    )
    land = np.isfinite(sample.channel("red"))
    if sample.classes is not None:
        land &= sample.classes != WATER
    if land.sum() < 500:
        return skipped("bands", "too few clear pixels of land")
    index = (nir[land] - red[land]) / (nir[land] + red[land])
    greenness = float(np.percentile(index, 75))
    if greenness < 0:
        return verdict(
            "bands",
            "land is darker in the near infrared than in red: are the bands swapped?",
            refused=True,
            number=greenness,
            limit="upper quartile of NDVI over land, above 0",
            todo="check which file is which band",
        )
    # Of red and blue alike, for one may be the other; water is blue, and no land.
    middle = (red[land] + blue[land]) / 2
    likely = (nir[land] - middle) / (nir[land] + middle)
    dry = likely > 0.1
    if dry.sum() >= 500:
        barest = dry & (likely <= np.quantile(likely[dry], 0.1))
        excess = float(np.median((red[land] - blue[land])[barest]))
        if excess < _BLUER:
            return verdict(
                "bands",
                "the barest ground is darker in red than in blue: are red and blue swapped?",
                refused=True,
                number=excess,
                limit=f"red less blue x 1e4 over the barest tenth of the land, above {_BLUER:g}",
                todo="check which file is which band",
            )
    return verdict(
        "bands",
        "vegetation and bare ground look as they should",
        number=greenness,
        limit="upper quartile of NDVI over land, above 0",
    )
