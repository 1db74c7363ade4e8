"""Sentinel-1: backscatter of the ground seen from the side, with layover, shadow and speckle."""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

from landslip.simulation.fields import Field

FLOOR = np.float32(10**-6.5)


@numba.njit(cache=True)
def _smooth_speckle(speckle: NDArray[np.float32]) -> NDArray[np.float32]:
    """Neighbours share their speckle, as in a product sampled finer than it resolves."""
    size = speckle.shape[0]
    side = 0.3
    across = np.empty_like(speckle)
    for i in range(size):
        for j in range(size):
            ends = speckle[i, j - 1] + speckle[i, (j + 1) % size]
            across[i, j] = (speckle[i, j] + side * ends) / (1 + 2 * side)
    smooth = np.empty_like(speckle)
    for i in range(size):
        for j in range(size):
            ends = across[i - 1, j] + across[(i + 1) % size, j]
            smooth[i, j] = (across[i, j] + side * ends) / (1 + 2 * side)
    return smooth


@numba.njit(cache=True)
def _wrap(number: int, size: int) -> tuple[int, int]:
    """Place on the grid and laps around it; branches are quicker than a division here."""
    laps = 0
    while number >= size:
        number -= size
        laps += 1
    while number < 0:
        number += size
        laps -= 1
    return number, laps


@numba.njit(cache=True)
def _observe(
    relief: NDArray[np.float32],
    model: NDArray[np.float32],
    tilt: NDArray[np.float32],
    eastward: bool,
    incidence: float,
    gamma: NDArray[np.float32],
    speckle: NDArray[np.float32],
    noise: NDArray[np.float32],
    image: NDArray[np.float32],
) -> None:
    """Gather the echoes of each range line by slant range, speckle them, and geocode them.

    `relief` is the ground as it is, `model` the elevation model that geocoding uses. The grid
    wraps around; range lines run at a slant to the rows, by `skew` rows over the whole grid.
    """
    size = relief.shape[0]
    skew = round(0.18 * size) * (1 if eastward else -1)
    sine, cosine = np.sin(incidence), np.cos(incidence)
    turn = skew / size
    plane = (tilt[1] if eastward else -tilt[1]) + tilt[0] * turn
    plane = min(plane, 0.8 * sine / cosine)
    spacing = sine - plane * cosine
    gain = sine / spacing
    ahead = 1 if eastward else -1
    echoes = np.zeros((2, size, size), np.float32)
    for line in range(size):
        roof = -1e9
        for step in range(-size // 2, size):
            i = _wrap(line + (2 * skew * step + size) // (2 * size), size)[0]
            j = _wrap(step if eastward else size - 1 - step, size)[0]
            z = relief[i, j]
            sight = step * (cosine + plane * sine) + z * sine
            hidden = sight < roof
            roof = max(roof, sight)
            if step < 0 or hidden:
                continue
            away, towards = _wrap(j + ahead, size)[0], _wrap(j - ahead, size)[0]
            below, above = _wrap(i + 1, size)[0], _wrap(i - 1, size)[0]
            rise = (relief[i, away] - relief[i, towards]) / 2
            rise += turn * (relief[below, j] - relief[above, j]) / 2 + plane
            area = cosine + rise * sine
            if area <= 0.0:
                continue
            place = step - z * cosine / spacing
            lower = int(np.floor(place))
            part = place - lower
            for end in range(2):
                b, laps = _wrap(lower + end, size)
                a = _wrap(line + laps * skew, size)[0]
                share = (part if end == 1 else 1.0 - part) * area * gain
                echoes[0, a, b] += share * gamma[0, i, j]
                echoes[1, a, b] += share * gamma[1, i, j]
    for p in range(2):
        grain = _smooth_speckle(speckle[p])
        # products tend to take off too much noise, in vh more than in vv
        excess = 1.1 if p == 0 else 1.45
        least = 0.06 * noise[p]
        for a in range(size):
            for b in range(size):
                measured = (echoes[p, a, b] + noise[p]) * grain[a, b] - excess * noise[p]
                # what is left of pure noise once its mean is taken off falls far below it
                if measured < least:
                    measured = least * np.exp(0.35 * (measured / least - 1.0))
                echoes[p, a, b] = measured
    for line in range(size):
        for step in range(size):
            i = _wrap(line + (2 * skew * step + size) // (2 * size), size)[0]
            j = step if eastward else size - 1 - step
            place = step - model[i, j] * cosine / spacing
            lower = int(np.floor(place))
            part = place - lower
            b, laps = _wrap(lower, size)
            a = _wrap(line + laps * skew, size)[0]
            d, laps = _wrap(lower + 1, size)
            c = _wrap(line + laps * skew, size)[0]
            for p in range(2):
                image[p, i, j] = (1.0 - part) * echoes[p, a, b] + part * echoes[p, c, d]


def observe_radar(
    rng: np.random.Generator,
    relief: tuple[Field, Field],
    tilt: NDArray[np.float32],
    gamma: tuple[Field, Field],
    eastward: bool,
) -> tuple[Field, Field]:
    """Backscatter before and after, as one orbit sees it.

    Parameters
    ----------
    rng : the generator that is advanced
    relief : before and after, (n, row, column) each, in pixels; see `Terrain`
    tilt : (n, 2) gradient of the plane under the relief
    gamma : before and after, (n, 2, row, column) each: gamma nought of vv and vh, linear
    eastward : the radar looks east (ascending orbit), else west (descending orbit)

    Returns
    -------
    before, after : (n, 2, row, column) float32, dB

    Notes
    -----
    A range-Doppler simulation without phase: each cell sends its illuminated area times gamma
    nought into a bin of slant range, so that foreshortening, layover and shadow come of
    themselves; Small (2011), "Flattening gamma", IEEE TGRS 49(8).
    """
    n, size, _ = relief[0].shape
    incidence = np.radians(rng.uniform(37, 45, n) if eastward else rng.uniform(31, 41, n))
    # noise equivalent sigma nought, -30 to -22 dB, a little different in the two channels
    noise = 10 ** (rng.uniform(-2.9, -2.1, (n, 1)) + rng.normal(0, 0.05, (n, 2)))
    noise = noise.astype(np.float32)
    images = []
    for date in range(2):
        # gamma distributed, two looks; smoothing makes them about eight
        one, two = (1 - rng.random((n, 2, size, size), dtype=np.float32) for _ in range(2))
        speckle = np.float32(-0.5) * np.log(one * two)
        image = np.empty((n, 2, size, size), np.float32)
        for p in range(n):
            _observe(
                relief[date][p],
                relief[0][p],
                tilt[p],
                eastward,
                incidence[p],
                gamma[date][p],
                speckle[p],
                noise[p],
                image[p],
            )
        images.append(np.float32(10 / np.log(10)) * np.log(np.maximum(image, FLOOR)))
    return images[0], images[1]
