"""What covers the ground before anything happens: shares of the materials in every pixel."""

import numpy as np
from numpy.typing import NDArray

from landslip.simulation.fields import Field, column_of, fractal_fields, soft_step
from landslip.simulation.materials import Material
from landslip.simulation.scenes import Scenes
from landslip.simulation.terrain import Terrain


def overlay(shares: Field, patch: int, mask: Field, material: Material) -> None:
    """Lay a material over one patch, in place, where `mask` (row, column) says, 0 to 1.

    Parameters
    ----------
    shares : (n, material, row, column)
        Of every material on the ground; they sum to 1 before and after.
    patch
        Number of the patch.
    mask : (row, column)
        Share of each pixel that the material takes, 0 to 1.
    material
        What is laid over.
    """
    shares[patch] *= 1 - mask
    shares[patch, material] += mask


def vegetation_and_rock(rng: np.random.Generator, scenes: Scenes, terrain: Terrain) -> Field:
    """Forest, grass, soil and rock as slope, height and chance have it.

    Returns
    -------
    (n, material, row, column) float32, sums to 1 over the materials
    """
    n, size, _ = terrain.relief.shape
    steep = np.hypot(*terrain.gradient())
    patchy, stands, stony, gaps = (fractal_fields(rng, n, size, e) for e in (2.6, 2.8, 2.2, 1.4))
    # vegetation fails on the steepest ground
    density = column_of(scenes.greenness) - 0.9 * np.maximum(steep - 0.75, 0)
    density += column_of(rng.uniform(size=(n,), low=0.02, high=0.28)) * patchy
    # openings: paths, banks, felled trees
    bare = soft_step(gaps - np.float32(3.0), 1.2)
    green = soft_step(density, 0.7) * (1 - bare)
    wooded = soft_step(column_of(scenes.woodiness) + 0.45 * stands + 0.4 * (steep - 0.3), 0.35)
    stone = soft_step(0.9 * (steep - 0.45) + 0.30 * stony, 0.8) * (1 - green - bare)
    shares = np.zeros((n, len(Material), size, size), np.float32)
    shares[:, Material.FOREST] = green * wooded
    shares[:, Material.GRASS] = green * (1 - wooded)
    shares[:, Material.ROCK] = stone
    shares[:, Material.GRAVEL] = bare
    shares[:, Material.SOIL] = 1 - green - stone - bare
    return shares


def parcels(rng: np.random.Generator, size: int) -> tuple[NDArray[np.int64], Field]:
    """Strips of fields, turned by chance.

    Returns
    -------
    number : (row, column) which of 64 kinds of parcel a pixel belongs to
    edge : (row, column) distance to the nearest boundary in pixels
    """
    angle = rng.uniform(0, np.pi)
    cosine, sine = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    width, length = np.float32(rng.uniform(5, 14)), np.float32(rng.uniform(9, 30))
    rows, columns = np.indices((size, size), dtype=np.float32)
    across = (cosine * rows + sine * columns) / width
    strip = np.floor(across).astype(np.int64)
    shift = rng.random(512, dtype=np.float32)[strip % 512]
    along = (cosine * columns - sine * rows) / length + shift
    field = np.floor(along).astype(np.int64)
    from_side = width * (np.float32(0.5) - np.abs(across - strip.astype(np.float32) - 0.5))
    from_end = length * (np.float32(0.5) - np.abs(along - field.astype(np.float32) - 0.5))
    edge: Field = np.minimum(from_side, from_end)
    return (strip * 11 + field * 5) % 64, edge


def contour_road(rng: np.random.Generator, height: Field, gentle: Field) -> Field:
    """A road along a contour line of one patch: (row, column), 0 to 1."""
    level = np.quantile(height, rng.uniform(0.15, 0.8))
    rise = np.hypot(*np.gradient(gentle)) + 0.02
    road: Field = np.clip(rng.uniform(0.7, 1.2) - np.abs(gentle - level) / rise, 0, 1)
    return road


def standing_things(
    rng: np.random.Generator, shares: Field, scenes: Scenes, terrain: Terrain, smooth: Field
) -> None:
    """Lay lakes, rivers, roads, villages and snow over the ground, in place.

    Parameters
    ----------
    rng
        The generator that is advanced.
    shares : (n, material, row, column)
        Of the ground, changed in place.
    scenes, terrain
        Of the n patches.
    smooth : (n, row, column)
        Noise of standard deviation 1 that frays outlines.
    """
    height = terrain.height
    size = height.shape[1]
    for p in np.flatnonzero(scenes.valley).tolist():
        water = rng.uniform(0.3, 1.6)
        bed = water * rng.uniform(1.0, 5.0)
        wander = terrain.river[p] + 0.8 * smooth[p]
        overlay(shares, p, soft_step(bed - wander, 1.0), Material.GRAVEL)
        overlay(shares, p, soft_step(water - terrain.river[p], 1.0), Material.WATER)
    for p in np.flatnonzero(scenes.lake).tolist():
        level = np.quantile(height[p], rng.beta(0.9, 1.6))
        overlay(shares, p, soft_step(level - height[p], 0.15), Material.WATER)
    for p in np.flatnonzero(scenes.road).tolist():
        overlay(shares, p, contour_road(rng, height[p], height[p]), Material.ROAD)
    for p in np.flatnonzero(scenes.village).tolist():
        row, column = rng.uniform(0.2, 0.8, 2) * size
        rows, columns = np.indices((size, size))
        near = np.exp(-np.hypot(rows - row, columns - column) / rng.uniform(3, 9))
        houses = rng.random((size, size)) < 0.8 * near
        overlay(shares, p, (0.85 * houses).astype(np.float32), Material.BUILT)
    for p in np.flatnonzero(scenes.snow).tolist():
        cold = height[p] + 1.5 * smooth[p]
        line = np.quantile(cold, 1 - scenes.snow[p])
        overlay(shares, p, soft_step(cold - line, 1.0), Material.SNOW)
