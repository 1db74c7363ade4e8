"""What the ground can be made of: reflectance and backscatter of each material."""

from __future__ import annotations

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from landslip.simulation.fields import Field


class Material(IntEnum):
    """Index of a material along the axis of cover shares."""

    FOREST = 0
    GRASS = 1
    SOIL = 2
    ROCK = 3
    WATER = 4
    CROP = 5
    BARE_FIELD = 6
    ROAD = 7
    BUILT = 8
    SNOW = 9
    GRAVEL = 10
    DEBRIS = 11


# red, green, blue, nir: surface reflectance x 1e4, typical of Sentinel-2 L2A
REFLECTANCE = np.array(
    [
        [220, 400, 230, 2450],
        [450, 630, 380, 3300],
        [980, 860, 650, 1850],
        [1080, 1030, 950, 1500],
        [110, 230, 270, 60],
        [360, 600, 350, 4200],
        [1200, 1000, 780, 1850],
        [1250, 1200, 1120, 1700],
        [1550, 1480, 1400, 2100],
        [5600, 5700, 5800, 5000],
        [1600, 1500, 1370, 1950],
        [2500, 2000, 1500, 2850],
    ]
)

# vv, vh: gamma nought in dB at C band
BACKSCATTER = np.array(
    [
        [-7.5, -12.8],
        [-10.0, -16.5],
        [-10.5, -19.0],
        [-9.0, -17.5],
        [-21.0, -31.0],
        [-9.5, -15.5],
        [-11.0, -20.0],
        [-14.0, -21.5],
        [-1.5, -9.5],
        [-13.0, -21.0],
        [-9.5, -18.0],
        [-8.5, -18.5],
    ]
)

MINERAL = [
    Material.SOIL,
    Material.ROCK,
    Material.BARE_FIELD,
    Material.GRAVEL,
    Material.DEBRIS,
    Material.ROAD,
]


def draw_reflectance(rng: np.random.Generator, n: int) -> Field:
    """Reflectance x 1e4 of the materials of n patches: season, wetness and geology differ.

    Returns
    -------
    (n, 4, material) float32; all mineral surfaces of a patch share the tint of its geology
    """
    materials = len(Material)
    brightness = rng.normal(0, 0.11, (n, 1, materials))
    colour = rng.normal(0, 0.038, (n, 4, materials))
    geology = rng.normal(0, 0.12, (n, 1, 1)) + rng.normal(0, 1, (n, 1, 1)) * np.array(
        [0.056, 0.014, -0.056, 0.02]
    ).reshape(1, 4, 1)
    deviation = brightness + colour
    deviation[:, :, MINERAL] += geology
    reflectance: Field = (REFLECTANCE.T * np.exp(deviation)).astype(np.float32)
    return reflectance


def draw_backscatter(rng: np.random.Generator, n: int) -> NDArray[np.float64]:
    """Backscatter of the materials of n patches: roughness and moisture differ.

    Returns
    -------
    (n, 2, material) gamma nought in dB, vv and vh
    """
    materials = len(Material)
    common = rng.normal(0, 1.0, (n, 1, materials))
    own = rng.normal(0, 0.5, (n, 2, materials))
    rough = np.ones(materials)
    rough[[Material.WATER, Material.DEBRIS, Material.SOIL, Material.BARE_FIELD]] = 1.8
    backscatter: NDArray[np.float64] = BACKSCATTER.T + rough * (common + own)
    return backscatter
