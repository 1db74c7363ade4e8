"""One batch of simulated patches, from the ground up to the twelve channels."""

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from landslip.simulation import events
from landslip.simulation.cover import standing_things, vegetation_and_rock
from landslip.simulation.fields import Field, fractal_fields
from landslip.simulation.materials import Material, draw_backscatter, draw_reflectance
from landslip.simulation.optical import observe_optical
from landslip.simulation.radar import observe_radar
from landslip.simulation.scenes import Scenes, draw_scenes
from landslip.simulation.terrain import illumination, make_terrain

OPTICAL = ("red", "green", "blue", "nir")
RADAR = ("vv", "vh", "diff_vv", "diff_vh")
CHANNELS = (*OPTICAL, *(f"{orbit}_{band}" for orbit in ("desc", "asc") for band in RADAR))

# open water, by (ascending, after): vv and vh where the wind was strongest, mean loss of vv, dB
SEA = {
    (False, False): ([-15.0, -30.5], 0.8),
    (False, True): ([-15.6, -34.0], 5.0),
    (True, False): ([-20.4, -33.0], 0.8),
    (True, True): ([-16.6, -34.0], 0.4),
}

# The competition's red lies where Sentinel-2's blue is expected and the other way round: clear
# water is brightest in it, haze and too much taken off for haze show in it, soil least.
STORED = [2, 1, 0, 3]


def gamma_of(shares: Field, backscatter: NDArray[np.float64], texture: Field) -> Field:
    """Gamma nought of the ground, (n, 2, row, column) linear.

    Parameters
    ----------
    shares : (n, material, row, column)
        Of each material on the ground.
    backscatter : (n, 2, material)
        DB.
    texture : (n, row, column)
        Linear factor.
    """
    n, materials, size, _ = shares.shape
    linear = (10 ** (backscatter / 10)).astype(np.float32)
    mixed = linear @ shares.reshape(n, materials, size * size)
    gamma: Field = mixed.reshape(n, 2, size, size) * texture[:, None]
    return gamma


def weather(
    rng: np.random.Generator, backscatter: NDArray[np.float64], scenes: Scenes, eastward: bool
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Backscatter of the materials at the two dates of one orbit: rain, wind, thaw, season.

    Returns
    -------
    before, after : (n, 2, material) dB
    """
    n = len(scenes.slope)
    ground = [Material.SOIL, Material.BARE_FIELD, Material.GRASS, Material.GRAVEL, Material.CROP]
    dates = []
    for late in (False, True):
        date = backscatter + rng.normal(0, 0.15, (n, 1, 1)) + rng.normal(0, 0.12, backscatter.shape)
        date[:, :, ground] += rng.normal(0, 0.2, (n, 1, 1))
        level, spread = SEA[eastward, late]
        date[:, :, Material.WATER] = level - rng.exponential(spread, (n, 1)) * np.array([1, 0.2])
        date += scenes.offset[:, None, None]
        dates.append(date)
    return dates[0], dates[1]


def simulate_batch(
    rng: np.random.Generator, labels: NDArray[np.int64], size: int
) -> NDArray[np.float64]:
    """Simulate one patch for each label.

    Parameters
    ----------
    rng
        The generator that is advanced.
    labels : (n,)
        1 where a patch is to show a landslide, else 0.
    size
        Rows and columns of a patch, pixels of 10 m.

    Returns
    -------
    (n, row, column, 12) in the order of CHANNELS: reflectance x 1e4 (+ 1000) and dB
    """
    n = len(labels)
    grid = scipy.fft.next_fast_len(size + size // 4, real=True)
    inset = (grid - size) // 2
    crop = (..., slice(inset, inset + size), slice(inset, inset + size))
    scenes = draw_scenes(rng, labels)
    terrain = make_terrain(rng, scenes, grid)
    steep = np.hypot(*terrain.gradient())
    smooth = fractal_fields(rng, n, grid, 2.4)

    before = vegetation_and_rock(rng, scenes, terrain)
    events.old_tracks(rng, before, scenes, terrain, steep, smooth, inset)
    standing_things(rng, before, scenes, terrain, smooth)
    after = before.copy()
    events.farm_fields(rng, before, after, scenes, steep)
    events.diggings(rng, before, after, scenes, smooth)
    events.floods(rng, before, after, scenes)
    events.open_sea(before, after, scenes, terrain)
    inner = inset + size // 12
    tracks = events.landslides(rng, before, after, scenes, terrain, steep, smooth, inner)

    direct, shadow = illumination(terrain, scenes)
    cover = after[crop].reshape(n, len(Material), size * size)
    reflectance = draw_reflectance(rng, n)
    reflectance[:, :, Material.WATER] += scenes.glint[:, None]
    ground = (reflectance @ cover).reshape(n, 4, size, size)
    optical = observe_optical(rng, ground, direct[crop], shadow[crop], scenes)

    patches = np.empty((n, size, size, len(CHANNELS)))
    patches[..., :4] = optical.transpose(0, 2, 3, 1)[..., STORED]
    backscatter = draw_backscatter(rng, n)
    roughness = np.exp(np.float32(0.27) * fractal_fields(rng, n, grid, 1.5))
    relief = (terrain.relief, terrain.relief - tracks.depth)
    for first, eastward in ((4, False), (8, True)):
        dates = weather(rng, backscatter, scenes, eastward=eastward)
        earlier = gamma_of(before, dates[0], roughness)
        gamma = (earlier, gamma_of(after, dates[1], roughness))
        pre, post = observe_radar(rng, relief, terrain.tilt, gamma, eastward)
        patches[..., first : first + 2] = post[crop].transpose(0, 2, 3, 1)
        patches[..., first + 2 : first + 4] = (post - pre)[crop].transpose(0, 2, 3, 1)
    return patches
