"""Sentinel-1: backscatter of the ground seen from the side, with layover, shadow and speckle."""

import numba
import numpy as np
import scipy.ndimage
from numpy.typing import NDArray

from landslip.simulation.fields import Field

# looks of a pixel of the ground range product before resampling; its specification says 4.4
LOOKS = 4.5
# neighbours share their speckle, as in a product sampled finer than it resolves
SHARED = np.array([0.3, 1.0, 0.3]) / np.sqrt(1 + 2 * 0.3**2)
# of the area of flat ground: what a hillside out of sight still throws back
LEAST_LIT = 0.25
# decimal logarithm of noise equivalent sigma nought, which differs across the swath
NOISE = (-3.15, -2.5)
# dB: what the product says where it took off more noise than there was, descending, ascending
FLOOR = (-48.8, -48.1)


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
def _geometry(tilt: Field, eastward: bool, incidence: float, size: int) -> tuple[int, float, float]:
    """Rows by which range lines slant over the grid, rise of the plane along them, spacing."""
    skew = round(0.18 * size) * (1 if eastward else -1)
    plane = (tilt[1] if eastward else -tilt[1]) + tilt[0] * skew / size
    plane = min(plane, 0.8 * np.tan(incidence))
    return skew, plane, np.sin(incidence) - plane * np.cos(incidence)


@numba.njit(cache=True)
def _listen(relief: Field, tilt: Field, eastward: bool, incidence: float, gamma: Field) -> Field:
    """Gather the echoes of each range line by slant range: (2, line, range), sigma nought.

    The grid wraps around; range lines run at a slant to the rows.
    """
    size = relief.shape[0]
    skew, plane, spacing = _geometry(tilt, eastward, incidence, size)
    sine, cosine = np.sin(incidence), np.cos(incidence)
    turn = skew / size
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
            if step < 0:
                continue
            away, towards = _wrap(j + ahead, size)[0], _wrap(j - ahead, size)[0]
            below, above = _wrap(i + 1, size)[0], _wrap(i - 1, size)[0]
            rise = (relief[i, away] - relief[i, towards]) / 2
            rise += turn * (relief[below, j] - relief[above, j]) / 2 + plane
            # crowns and boulders stand out of the shadow of the smooth ground
            area = LEAST_LIT if hidden else max(cosine + rise * sine, LEAST_LIT)
            place = step - z * cosine / spacing
            lower = int(np.floor(place))
            part = place - lower
            for end in range(2):
                b, laps = _wrap(lower + end, size)
                a = _wrap(line + laps * skew, size)[0]
                share = (part if end == 1 else 1.0 - part) * area * gain
                echoes[0, a, b] += share * gamma[0, i, j]
                echoes[1, a, b] += share * gamma[1, i, j]
    return echoes


@numba.njit(cache=True)
def _measure(echoes: Field, noise: float, excess: float, least: float, grain: Field) -> None:
    """Median over dates of speckled echoes less the thermal noise, in place.

    Parameters
    ----------
    echoes : (line, range)
        Linear.
    noise, excess
        Thermal noise, and how often of it the product takes off.
    least
        What the product says in place of a negative power.
    grain : (date, line, range)
        Standard normal.
    """
    dates, size, _ = grain.shape
    power = np.empty((dates, size, size), np.float32)
    # Wilson and Hilferty (1931): the cube root of a gamma variate is nearly normal
    middle, spread = np.float32(1 - 1 / (9 * LOOKS)), np.float32(1 / (3 * np.sqrt(LOOKS)))
    for date in range(dates):
        for a in range(size):
            for b in range(size):
                root = max(middle + spread * grain[date, a, b], np.float32(0))
                measured = (echoes[a, b] + noise) * root * root * root - excess * noise
                power[date, a, b] = max(measured, least)
    if dates == 1:
        echoes[:] = power[0]
    else:
        one, two, three = power[0], power[1], power[2]
        echoes[:] = np.maximum(np.minimum(one, two), np.minimum(np.maximum(one, two), three))


@numba.njit(cache=True)
def _geocode(
    echoes: Field, model: Field, tilt: Field, eastward: bool, incidence: float, image: Field
) -> None:
    """Place (2, line, range) on the map with an elevation model, between four samples each."""
    size = model.shape[0]
    skew, _, spacing = _geometry(tilt, eastward, incidence, size)
    fall = np.cos(incidence) / spacing
    for i in range(size):
        for step in range(size):
            j = step if eastward else size - 1 - step
            track = i - skew * step / size
            place = step + 0.5 - model[i, j] * fall
            line, lower = int(np.floor(track)), int(np.floor(place))
            below, part = track - line, place - lower
            image[0, i, j] = 0
            image[1, i, j] = 0
            for end in range(2):
                b, laps = _wrap(lower + end, size)
                share = part if end == 1 else 1.0 - part
                for side in range(2):
                    a = _wrap(line + side + laps * skew, size)[0]
                    weight = share * (below if side == 1 else 1.0 - below)
                    image[0, i, j] += weight * echoes[0, a, b]
                    image[1, i, j] += weight * echoes[1, a, b]


def observe_radar(
    rng: np.random.Generator,
    relief: tuple[Field, Field],
    tilt: NDArray[np.float32],
    gamma: tuple[Field, Field],
    eastward: bool,
) -> tuple[Field, Field]:
    """Backscatter before and after, as one orbit sees it: medians over dates.

    Parameters
    ----------
    rng
        The generator that is advanced.
    relief
        Before and after, (n, row, column) each, in pixels; see `Terrain`.
    tilt : (n, 2)
        Gradient of the plane under the relief.
    gamma
        Before and after, (n, 2, row, column) each: gamma nought of vv and vh, linear.
    eastward
        The radar looks east (ascending orbit), else west (descending orbit).

    Returns
    -------
    before, after : (n, 2, row, column) float32, dB of sigma nought, not flattened

    Notes
    -----
    A range-Doppler simulation without phase: each cell sends its illuminated area times gamma
    nought into a bin of slant range, so that foreshortening, layover and shadow come of
    themselves; Small (2011), "Flattening gamma", IEEE TGRS 49(8).
    """
    n, size, _ = relief[0].shape
    incidence = np.radians(rng.uniform(37, 45, n) if eastward else rng.uniform(31, 41, n))
    # products tend to take off a little too much
    noise = np.power(10, rng.uniform(*NOISE, (n, 1)) + rng.normal(0, 0.03, (n, 2)))
    excess = 1 + np.abs(rng.normal(0, [0.01, 0.03], (n, 2)))
    least = np.power(10, rng.normal(FLOOR[eastward], 0.07, n) / 10)
    images = []
    # a median of three dates before the event, after it often the first look alone
    late = np.where(rng.random(n) < (0.02 if eastward else 0.22), 3, 1)
    for date in range(2):
        image = np.empty((n, 2, size, size), np.float32)
        for p in range(n):
            echoes = _listen(relief[date][p], tilt[p], eastward, incidence[p], gamma[date][p])
            for band in range(2):
                white = rng.standard_normal((late[p] if date else 3, size, size), dtype=np.float32)
                for axis in (1, 2):
                    white = scipy.ndimage.correlate1d(white, SHARED, axis, mode="wrap")
                _measure(echoes[band], noise[p, band], excess[p, band], least[p], white)
            _geocode(echoes, relief[0][p], tilt[p], eastward, incidence[p], image[p])
        images.append(np.float32(10 / np.log(10)) * np.log(image))
    return images[0], images[1]
