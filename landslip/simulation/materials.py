"""What the ground can be made of: reflectance and backscatter of each material."""

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


# red, green, blue, nir: surface reflectance x 1e4, typical of Sentinel-2 L2A; vv, vh: gamma nought
# in dB at C band
GROUND = np.array(
    [
        [220, 400, 230, 2450, -7.5, -12.8],  # forest
        [450, 630, 380, 3300, -10.0, -16.5],  # grass
        [980, 860, 650, 1850, -10.5, -19.0],  # soil
        [1180, 1030, 860, 1560, -9.0, -17.5],  # rock
        [110, 230, 270, 60, -21.0, -31.0],  # water
        [360, 600, 350, 4200, -9.5, -15.5],  # crop
        [1200, 1000, 780, 1850, -11.0, -20.0],  # bare field
        [1320, 1190, 1040, 1720, -14.0, -21.5],  # road
        [1620, 1480, 1330, 2120, -1.5, -9.5],  # built
        [5600, 5700, 5800, 5000, -13.0, -21.0],  # snow
        [1680, 1500, 1220, 2000, -9.5, -18.0],  # gravel
        [2500, 2000, 1500, 2600, -8.0, -16.5],  # debris
    ]
)
REFLECTANCE, BACKSCATTER = GROUND[:, :4], GROUND[:, 4:]
MINERAL = [Material[name] for name in ("SOIL", "ROCK", "BARE_FIELD", "GRAVEL", "DEBRIS", "ROAD")]


def draw_reflectance(rng: np.random.Generator, n: int) -> Field:
    """Reflectance x 1e4 of the materials of n patches: season, wetness and geology differ.

    Returns
    -------
    (n, 4, material) float32; all mineral surfaces of a patch share the tint of its geology
    """
    materials = len(Material)
    brightness = rng.normal(0, 0.15, (n, 1, materials))
    colour = rng.normal(0, 0.038, (n, 4, materials))
    geology = rng.normal(0, 0.25, (n, 1, 1)) + rng.normal(0, 1, (n, 1, 1)) * np.array(
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
