"""One simulated scene of any size, as the sensors see it: the truth that maps are tested on."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from landslip.simulation.cover import overlay, standing_things, vegetation_and_rock
from landslip.simulation.events import diggings, farm_fields, floods, old_tracks
from landslip.simulation.fields import Field, fractal_fields, soft_step
from landslip.simulation.materials import Material, draw_backscatter, draw_reflectance
from landslip.simulation.optical import clouds, observe_optical
from landslip.simulation.patches import gamma_of, weather
from landslip.simulation.radar import observe_radar
from landslip.simulation.scenes import Scenes, draw_scenes
from landslip.simulation.slides import find_crowns, release_tracks
from landslip.simulation.terrain import Terrain, illumination, make_terrain

ORBITS = ("descending", "ascending")


@dataclass(frozen=True, kw_only=True)
class SceneImages:
    """What the sensors saw of one piece of ground."""

    optical: Field
    """(4, row, column) red, green, blue, nir after the event: reflectance x 1e4 + 1000."""
    scl: NDArray[np.uint8]
    """(row, column) scene classification of Sentinel-2."""
    quiet_optical: Field
    """Optics of an earlier time in which nothing slid."""
    quiet_scl: NDArray[np.uint8]
    radar: dict[str, tuple[Field, Field]]
    """Orbit -> medians before and after, (2, row, column) each: VV and VH in dB."""
    quiet: dict[str, tuple[Field, Field]]
    """The same of an earlier time in which nothing slid."""
    slides: NDArray[np.bool_]
    """(slide, row, column) where each slide ran."""


def simulate_scene_images(
    rng: np.random.Generator,
    *,
    rows: int,
    columns: int,
    slides: int,
    cloud: float,
    flattened: bool = False,
) -> SceneImages:
    """Simulate the ground and what both sensors see of it.

    Parameters
    ----------
    rng
        The generator that is advanced.
    rows, columns
        Pixels of 10 m.
    slides
        How many run down between the two dates.
    cloud
        Share of the sky under cloud, 0 to 1.
    flattened
        The radar's product has the slopes taken out, gamma nought in place of sigma nought.
    """
    size = max(rows, columns)
    grid = scipy.fft.next_fast_len(size + max(size // 4, 32), real=True)
    inset = (grid - size) // 2
    crop = (..., slice(inset, inset + rows), slice(inset, inset + columns))
    scenes = _draw(rng, cloud)
    terrain = make_terrain(rng, scenes, grid)
    steep = np.hypot(*terrain.gradient())
    smooth = fractal_fields(rng, 1, grid, 2.4)

    before = vegetation_and_rock(rng, scenes, terrain)
    old_tracks(rng, before, scenes, terrain, steep, smooth, inset)
    standing_things(rng, before, scenes, terrain, smooth)
    after = before.copy()
    farm_fields(rng, before, after, scenes, steep)
    diggings(rng, before, after, scenes, smooth)
    floods(rng, before, after, scenes)
    masks, depth = plant_slides(rng, after, terrain, steep, smooth, slides, inset)

    reflectance = draw_reflectance(rng, 1)
    optical, scl = _optical(rng, reflectance, after, terrain, scenes, crop)
    quiet_optical, quiet_scl = _optical(rng, reflectance, before, terrain, scenes, crop)
    backscatter = draw_backscatter(rng, 1)
    roughness = np.exp(np.float32(0.18) * fractal_fields(rng, 1, grid, 1.5))
    relief = (terrain.relief, terrain.relief - depth)
    tilt = terrain.tilt
    if flattened:
        relief, tilt = (np.zeros_like(relief[0]),) * 2, np.zeros_like(tilt)

    def see(
        earlier: Field, later: Field, ground: tuple[Field, Field]
    ) -> dict[str, tuple[Field, Field]]:
        seen = {}
        for orbit in ORBITS:
            eastward = orbit == "ascending"
            dates = weather(rng, backscatter, scenes, eastward=eastward)
            gamma = (
                gamma_of(earlier, dates[0], roughness),
                gamma_of(later, dates[1], roughness),
            )
            pre, post = observe_radar(rng, ground, tilt, gamma, eastward)
            seen[orbit] = (pre[0][crop], post[0][crop])
        return seen

    return SceneImages(
        optical=optical,
        scl=scl,
        quiet_optical=quiet_optical,
        quiet_scl=quiet_scl,
        radar=see(before, after, relief),
        quiet=see(before, before, (relief[0], relief[0])),
        slides=masks[crop],
    )


def _draw(rng: np.random.Generator, cloud: float) -> Scenes:
    """Mountains with all that stands in them; the optics of a fair day but for the clouds."""
    yes = np.ones(1, np.bool_)
    return replace(
        draw_scenes(rng, np.ones(1, np.int64)),
        slope=np.array([0.6]),
        tilt=np.array([0.25]),
        greenness=np.array([0.62]),
        cloud=np.array([cloud]),
        snow=np.zeros(1),
        haze=np.zeros(1),
        offset=np.array([1.4]),
        sea=np.zeros(1),
        glint=np.zeros(1),
        valley=yes,
        farmland=yes,
        lake=yes,
        road=yes,
        village=yes,
        chutes=np.array([4]),
        slides=np.zeros(1, np.int64),
    )


def plant_slides(
    rng: np.random.Generator,
    after: Field,
    terrain: Terrain,
    steep: Field,
    smooth: Field,
    count: int,
    inset: int,
) -> tuple[NDArray[np.bool_], Field]:
    """Let slides run down, each with its own outline; `after` is changed in place.

    Returns
    -------
    masks : (slide, row, column) where more than half of a pixel slid
    depth : (1, row, column) ground lost, in pixels
    """
    crowns = find_crowns(rng, terrain.height, steep, np.array([count]), inset + 8)
    count = len(crowns)
    length = np.clip(rng.lognormal(np.log(28), 0.5, count), 12, 60)
    half = np.clip(length * rng.uniform(0.10, 0.22, count), 1.6, 9.0)
    depth = np.zeros_like(terrain.height)
    masks = np.zeros((count, *terrain.height.shape[1:]), np.bool_)
    for number in range(count):
        one = slice(number, number + 1)
        tracks = release_tracks(terrain.height, smooth, crowns[one], length[one], half[one])
        torn = np.clip(0.8 + 0.25 * smooth[0], 0.2, 1)
        overlay(after, 0, tracks.scar[0] + tracks.runout[0] * torn, Material.DEBRIS)
        # the deposit is hummocky, the scar stepped
        depth += tracks.depth * (1 + np.float32(0.5) * smooth)
        masks[number] = tracks.mask[0] > 0.5
    return masks, depth


def _optical(
    rng: np.random.Generator,
    reflectance: Field,
    shares: Field,
    terrain: Terrain,
    scenes: Scenes,
    crop: tuple[Any, ...],
) -> tuple[Field, NDArray[np.uint8]]:
    """Sentinel-2 and its scene classification."""
    clear = replace(scenes, cloud=np.zeros(1))
    direct, shadow = illumination(terrain, scenes)
    materials, size = shares.shape[1], shares.shape[2]
    ground = reflectance @ shares.reshape(1, materials, size * size)
    seen = observe_optical(rng, ground.reshape(1, 4, size, size), direct, shadow, clear)
    image = seen[0]
    thick, dark = (field[0] for field in clouds(rng, scenes, size))
    image = 1000 + (image - 1000) * (1 - np.float32(0.7) * dark)
    top = np.float32(5200) * (1 + np.float32(0.1) * fractal_fields(rng, 1, size, 2.4)[0])
    image = np.round(np.maximum(image + thick * (top - image), 1))

    ordinary = np.where(
        shares[0, [Material.FOREST, Material.GRASS, Material.CROP]].sum(0) > 0.5, 4, 5
    )
    scl = np.where(shares[0, Material.WATER] > 0.5, 6, ordinary).astype(np.uint8)
    scl[soft_step(dark - 0.3, 0.01) > 0] = 3
    scl[thick > 0.1] = 8
    scl[thick > 0.4] = 9
    return image.astype(np.float32)[crop], scl[crop]
