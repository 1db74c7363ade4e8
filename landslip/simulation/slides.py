"""Landslides and other tracks that start on steep ground and run down the slope."""

from dataclasses import dataclass

import numba
import numpy as np
from numpy.typing import NDArray

from landslip.simulation.fields import Field


@dataclass(frozen=True, kw_only=True)
class Tracks:
    """Where something ran down the slope, on the grid of n patches."""

    scar: Field
    """(n, row, column) share of the pixel in the source area below the crown, 0 to 1."""
    runout: Field
    """(n, row, column) share of the pixel in the path and the deposit, 0 to 1."""
    depth: Field
    """(n, row, column) ground lost (scar) or gained (deposit, negative), in pixels of 10 m."""

    @property
    def mask(self) -> Field:
        """(n, row, column) share of the pixel in either."""
        return np.maximum(self.scar, self.runout)


@numba.njit(cache=True)
def _run_down(
    height: NDArray[np.float32],
    edge: NDArray[np.float32],
    start_row: int,
    start_column: int,
    length: float,
    half_width: float,
    scar: NDArray[np.float32],
    runout: NDArray[np.float32],
) -> None:
    """Walk down the steepest descent, with momentum, and stamp scar, path and toe."""
    size = height.shape[0]
    row, column = float(start_row), float(start_column)
    heading_row, heading_column = 0.0, 0.0
    crown_end = max(0.30 * length, 1.6 * half_width)
    lowest = height[start_row, start_column]
    walked = 0.0
    while walked <= length:
        r, c = round(row), round(column)
        if r < 1 or c < 1 or r > size - 2 or c > size - 2:
            break
        # a slide comes to rest where it would have to climb
        if height[r, c] > lowest + 0.15:
            break
        lowest = min(lowest, height[r, c])
        fall_row = (height[r - 1, c] - height[r + 1, c]) / 2
        fall_column = (height[r, c - 1] - height[r, c + 1]) / 2
        steep = np.sqrt(fall_row * fall_row + fall_column * fall_column) + 1e-6
        if steep < 0.10 and walked > crown_end:
            length = min(length, walked + 2.0 * half_width)
        heading_row = 0.55 * heading_row + 0.45 * fall_row / steep
        heading_column = 0.55 * heading_column + 0.45 * fall_column / steep
        norm = np.sqrt(heading_row * heading_row + heading_column * heading_column) + 1e-6
        in_scar = walked <= crown_end
        if in_scar:
            swell = np.sin(np.pi * (0.22 + 0.65 * walked / crown_end))
            radius = half_width * (0.45 + 0.75 * swell)
        else:
            past = (walked - crown_end) / max(length - crown_end, 1.0)
            radius = half_width * (0.62 + 0.65 * past * past)
        reach = int(radius * 1.6) + 2
        for i in range(max(r - reach, 0), min(r + reach + 1, size)):
            for j in range(max(c - reach, 0), min(c + reach + 1, size)):
                away = np.sqrt((i - row) ** 2 + (j - column) ** 2)
                share = radius * (1.0 + 0.28 * edge[i, j]) + 0.5 - away
                share = min(max(share, 0.0), 1.0)
                if in_scar:
                    scar[i, j] = max(scar[i, j], share)
                else:
                    runout[i, j] = max(runout[i, j], share)
        row += 0.8 * heading_row / norm
        column += 0.8 * heading_column / norm
        walked += 0.8


def find_crowns(
    rng: np.random.Generator, height: Field, steepness: Field, counts: NDArray[np.int64], inset: int
) -> NDArray[np.int64]:
    """Cells in which tracks start: steep ground, high on the hillside, `inset` cells inside.

    Parameters
    ----------
    rng
        The generator that is advanced.
    height, steepness : (n, row, column)
        Elevation in pixels, and the length of its gradient.
    counts : (n,)
        How many tracks each patch has.
    inset
        Cells at the edge in which nothing starts.

    Returns
    -------
    (track, 3) patch, row and column of each track
    """
    size = height.shape[1]
    inner = slice(inset, size - inset)
    crowns = []
    for patch in np.flatnonzero(counts):
        ground, steep = height[patch, inner, inner], steepness[patch, inner, inner]
        count = min(int(counts[patch]), ground.size)  # a tiny scene has fewer cells than slides
        if not count:
            continue
        above = (ground - ground.mean()) / (ground.std() + 1e-6)
        weight = 2.5 * np.log(steep + 1e-3) + 0.7 * above
        # the Gumbel trick draws cells without replacement in proportion to exp(weight)
        score = (weight + rng.gumbel(size=weight.shape)).ravel()
        cells = np.argpartition(score, -count)[-count:]
        rows, columns = np.divmod(np.sort(cells), weight.shape[1])
        crowns.append(np.column_stack([np.full_like(rows, patch), rows + inset, columns + inset]))
    return np.concatenate(crowns) if crowns else np.empty((0, 3), np.int64)


def release_tracks(
    height: Field,
    edge: Field,
    crowns: NDArray[np.int64],
    length: NDArray[np.float64],
    half_width: NDArray[np.float64],
) -> Tracks:
    """Let every track run down its slope.

    Parameters
    ----------
    height : (n, row, column)
        Elevation in pixels.
    edge : (n, row, column)
        Noise of standard deviation 1 that frays the outlines.
    crowns : (track, 3)
        Patch, row and column of the starts.
    length, half_width : (track,)
        In pixels.
    """
    scar, runout = np.zeros_like(height), np.zeros_like(height)
    depth = np.zeros_like(height)
    for (patch, row, column), reach, half in zip(crowns, length, half_width, strict=True):
        _run_down(height[patch], edge[patch], row, column, reach, half, scar[patch], runout[patch])
    touched = np.unique(crowns[:, 0])
    runout[touched] *= 1 - scar[touched]
    # depth goes with size (Larsen et al. 2010: volume ~ area ** 1.3): 1 to 7 m here
    deepest = np.zeros(len(height), np.float32)
    np.maximum.at(deepest, crowns[:, 0], (0.05 * half_width + 0.08).astype(np.float32))
    depth[touched] = deepest[touched, None, None] * (scar[touched] - 0.5 * runout[touched])
    return Tracks(scar=scar, runout=runout, depth=depth)
