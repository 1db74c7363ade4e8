"""Elevation models of mountains and plains, and how the sun lights them."""

from dataclasses import dataclass

import numba
import numpy as np
from numpy.typing import NDArray

from landslip.simulation.fields import Field, column_of, fractal_fields
from landslip.simulation.scenes import Scenes


@dataclass(frozen=True, kw_only=True)
class Terrain:
    """Elevation of n patches on a grid that wraps around but for the tilt."""

    relief: Field
    """(n, row, column) elevation less the tilted plane, in pixels (one pixel is 10 m)."""
    tilt: NDArray[np.float32]
    """(n, 2) gradient of the plane along rows and along columns, metres a metre."""
    river: Field
    """(n, row, column) distance from the valley's axis in pixels; large where there is none."""

    @property
    def height(self) -> Field:
        """(n, row, column) elevation in pixels."""
        steps = np.arange(self.relief.shape[1], dtype=np.float32)
        rows = self.tilt[:, 0, None, None] * steps[:, None]
        columns = self.tilt[:, 1, None, None] * steps
        height: Field = self.relief + rows + columns
        return height

    def gradient(self) -> tuple[Field, Field]:
        """(n, row, column) each: rise along rows and along columns, metres a metre."""
        rows, columns = periodic_gradient(self.relief)
        return rows + self.tilt[:, :1, None], columns + self.tilt[:, 1:, None]


def periodic_gradient(relief: Field) -> tuple[Field, Field]:
    """(n, row, column) each: rise along rows and along columns of a grid that wraps around."""
    half = np.float32(0.5)
    rows: Field = half * (np.roll(relief, -1, 1) - np.roll(relief, 1, 1))
    columns: Field = half * (np.roll(relief, -1, 2) - np.roll(relief, 1, 2))
    return rows, columns


def valley_distance(rng: np.random.Generator, n: int, size: int) -> Field:
    """(n, row, column) distance in pixels from a winding line that crosses the grid."""
    along = np.arange(size, dtype=np.float32) * np.float32(2 * np.pi / size)
    waves = np.arange(1, 5, dtype=np.float32)
    phases = rng.uniform(0, 2 * np.pi, (n, 4, 1)).astype(np.float32)
    swings = rng.normal(0, 0.10 * size, (n, 4, 1)).astype(np.float32) / waves[:, None] ** 1.5
    axis = (swings * np.sin(waves[:, None] * along + phases)).sum(axis=1)
    axis += column_of(rng.uniform(0, size, n))[..., 0]
    across = np.arange(size, dtype=np.float32) - axis[:, :, None] + size / 2
    distance: Field = np.abs(np.mod(across, size) - size / 2).astype(np.float32)
    turned = rng.random(n) < 0.5
    distance[turned] = distance[turned].transpose(0, 2, 1)
    return distance


def make_terrain(rng: np.random.Generator, scenes: Scenes, size: int) -> Terrain:
    """Fractal mountains: smooth massifs, ridges and gullies, a tilt, and valleys with a river.

    Parameters
    ----------
    rng
        The generator that is advanced.
    scenes
        Of n patches.
    size
        Rows and columns of the grid, 10 m each.
    """
    n = len(scenes.slope)
    massif = fractal_fields(rng, n, size, 5.0)
    ridges = -np.abs(fractal_fields(rng, n, size, 4.2))
    relief = massif + column_of(rng.uniform(0.0, 0.8, n)) * ridges
    river = valley_distance(rng, n, size)
    sides = np.sqrt(river**2 + np.float32(6.0)) * np.float32(2.5 / (size / 4))
    has_valley = scenes.valley[:, None, None]
    relief += np.where(has_valley, sides, np.float32(0))
    river = np.where(has_valley, river, np.float32(size))
    steepness = np.hypot(*periodic_gradient(relief)).mean(axis=(1, 2), keepdims=True)
    tilted = scenes.tilt * np.where(scenes.valley, 0.3, 1.0)
    relief *= column_of(1.15 * scenes.slope * np.sqrt(1 - tilted**2)) / steepness
    aspect = rng.uniform(0, 2 * np.pi, n)
    tilt = (scenes.slope * tilted)[:, None] * np.column_stack([np.sin(aspect), np.cos(aspect)])
    for p in np.flatnonzero(scenes.sea).tolist():
        tilt[p] = 0
        relief[p] = np.maximum(relief[p], np.quantile(relief[p], scenes.sea[p]))
    return Terrain(relief=relief.astype(np.float32), tilt=tilt.astype(np.float32), river=river)


@numba.njit(cache=True)
def _sweep_shadow(height: Field, towards_row: float, towards_column: float, fall: float) -> Field:
    """Height of the shadow above the ground: the shadow of each line falls onto the next."""
    rows, columns = height.shape
    above = np.zeros((rows, columns), np.float32)
    along_rows = abs(towards_row) >= abs(towards_column)
    lines, width = (rows, columns) if along_rows else (columns, rows)
    lead = towards_row if along_rows else towards_column
    drift = (towards_column if along_rows else towards_row) / abs(lead)
    drop = fall * np.sqrt(1.0 + drift * drift)
    roof = np.full(width, -1e9)
    for step in range(lines):
        line = lines - 1 - step if lead > 0 else step
        following = np.empty(width)
        for place in range(width):
            ground = height[line, place] if along_rows else height[place, line]
            behind = min(max(place + drift, 0.0), width - 1.0)
            left = min(int(behind), width - 2)
            part = behind - left
            shade = (1.0 - part) * roof[left] + part * roof[left + 1] - drop
            if along_rows:
                above[line, place] = max(shade - ground, 0.0)
            else:
                above[place, line] = max(shade - ground, 0.0)
            following[place] = max(shade, ground)
        roof = following
    return above


def illumination(terrain: Terrain, scenes: Scenes) -> tuple[Field, Field]:
    """How the sun lights the ground.

    Returns
    -------
    direct : (n, row, column) cosine of the sun's angle over that on flat ground, 0 in self-shadow
    shadow : (n, row, column) 0 in the sun to 1 in the cast shadow of a mountain
    """
    rise_rows, rise_columns = terrain.gradient()
    towards_row, towards_column = -np.cos(scenes.sun_azimuth), np.sin(scenes.sun_azimuth)
    cotangent = 1 / np.tan(scenes.sun_elevation)
    facing = 1 - column_of(cotangent * towards_row) * rise_rows
    facing -= column_of(cotangent * towards_column) * rise_columns
    direct = np.maximum(facing / np.sqrt(1 + rise_rows**2 + rise_columns**2), np.float32(0))
    height = terrain.height
    sun = zip(height, towards_row, towards_column, 1 / cotangent, strict=True)
    above = np.stack([_sweep_shadow(*line) for line in sun])
    shadow: Field = np.clip(above / np.float32(0.5), 0, 1)
    return direct, shadow
