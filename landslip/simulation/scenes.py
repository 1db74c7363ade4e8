"""What is drawn once per patch: region, relief, light, weather and which things stand in it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Scenes:
    """Properties of n patches, each an array (n,)."""

    slope: Numbers
    """Mean gradient of the terrain, metres a metre."""
    tilt: Numbers
    """Share of the gradient that is one hillside across the whole patch, 0 to 1."""
    greenness: Numbers
    """Shift of the vegetation density: about 0.4 in humid, -0.2 in dry regions."""
    woodiness: Numbers
    """Shift of the share of forest in the vegetation."""
    sun_azimuth: Numbers
    """Radians clockwise from north (row 0 is north)."""
    sun_elevation: Numbers
    """Radians above the horizon."""
    haze: Numbers
    """Path reflectance in the blue, x 1e4; negative where too much was taken off."""
    cloud: Numbers
    """Fraction of the sky under cloud, 0 to 1."""
    snow: Numbers
    """Fraction of the ground under snow, 0 to 1."""
    offset: Numbers
    """Backscatter of the whole patch against the average, dB: moisture, roughness, product."""
    sea: Numbers
    """Fraction of the patch under open water: all of it, a coast's part, or 0."""
    glint: Numbers
    """Sunlight that the open water throws back, reflectance x 1e4 in every band."""
    valley: Flags
    """A valley with a river in it."""
    farmland: Flags
    """Fields where the ground is gentle enough."""
    lake: Flags
    """Still water in the lowest ground."""
    road: Flags
    """A road along a contour line."""
    village: Flags
    """Houses near the middle of the patch."""
    quarry: Flags
    """A quarry, worked between the two dates."""
    clearing: Flags
    """A clear-cut or a building site, opened between the two dates or before."""
    chutes: NDArray[np.int64]
    """Number of scree chutes and avalanche tracks: shaped like slides, but old."""
    slides: NDArray[np.int64]
    """Number of landslides between the two dates or shortly before."""


def draw_scenes(rng: np.random.Generator, labels: NDArray[np.int64]) -> Scenes:
    """Draw what each patch is; the label decides on slides and, where there are any, on relief.

    Parameters
    ----------
    rng
        The generator that is advanced.
    labels : (n,)
        0 or 1.
    """
    n = len(labels)
    positive = labels == 1

    def chance(probability: float) -> Flags:
        return rng.random(n) < probability

    flat = chance(0.20) & ~positive
    least, most = np.where(positive, 0.42, 0.25), np.where(positive, 1.0, 0.95)
    slope = np.where(flat, rng.uniform(0.01, 0.15, n), rng.uniform(least, most))
    open_water = chance(0.235) & ~positive
    region = rng.choice(3, n, p=[0.50, 0.28, 0.22])
    greenness = np.array([0.66, 0.46, 0.12])[region] + rng.normal(0, 0.12, n)
    overcast = chance(0.145)
    snowy = chance(0.07)
    return Scenes(
        slope=slope,
        tilt=rng.beta(5.0, 1.2, n),
        greenness=greenness,
        woodiness=rng.normal(0.1, 0.4, n),
        sun_azimuth=np.radians(rng.uniform(125, 170, n)),
        sun_elevation=np.radians(rng.uniform(38, 68, n)),
        haze=np.where(chance(0.35), rng.normal(190, 90, n), rng.normal(-60, 60, n)),
        cloud=np.where(overcast & (~open_water | chance(0.2)), rng.beta(0.45, 0.9, n), 0.0),
        snow=np.where(snowy, rng.beta(1.2, 2.0, n), 0.0),
        offset=rng.normal(1.4, 0.5, n),
        sea=np.where(open_water, 1.0, np.where(chance(0.03), 0.7 * rng.beta(1.2, 1.6, n), 0.0)),
        glint=np.where(chance(0.9), rng.normal(580, 80, n), 0.0),
        valley=chance(0.20),
        farmland=np.where(flat, chance(0.65), chance(0.14)),
        lake=np.where(flat, chance(0.15), chance(0.02)),
        road=chance(0.35),
        village=np.where(flat, chance(0.30), chance(0.08)),
        quarry=chance(0.05),
        clearing=chance(0.10),
        chutes=np.where(chance(0.25), rng.geometric(0.45, n).clip(max=5), 0),
        slides=np.where(positive, rng.geometric(0.42, n).clip(max=7), 0),
    )
