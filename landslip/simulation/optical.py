"""Sentinel-2: reflectance of the ground under sun, haze, clouds and a noisy sensor."""

import numpy as np
import scipy.ndimage

from landslip.simulation.fields import Field, column_of, fractal_fields, soft_step
from landslip.simulation.scenes import Scenes

# offset of Sentinel-2 L2A products since processing baseline 04.00 (the sample keeps it)
OFFSET = 1000.0
# red, green, blue, nir: light from the sky as a share of the sun's, and path reflectance
SKYLIGHT = np.array([0.13, 0.16, 0.21, 0.09], np.float32).reshape(1, 4, 1, 1)
PATH = np.array([0.65, 0.95, 1.0, 0.3], np.float32).reshape(1, 4, 1, 1)


def clouds(rng: np.random.Generator, scenes: Scenes, size: int) -> tuple[Field, Field]:
    """Thickness of the clouds and the shadow they cast.

    Returns
    -------
    thickness, shadow : (n, row, column) float32, 0 to 1
    """
    n = len(scenes.cloud)
    thickness = np.zeros((n, size, size), np.float32)
    shadow = np.zeros_like(thickness)
    cloudy = np.flatnonzero(scenes.cloud)
    fields = fractal_fields(rng, len(cloudy), size, 3.2)
    softness = rng.uniform(0.3, 1.6, n)
    for field, p in zip(fields, cloudy, strict=True):
        level = np.quantile(field, 1 - scenes.cloud[p])
        thickness[p] = soft_step(field - level, softness[p])
        # the shadow falls away from the sun by the height of the cloud
        far = rng.uniform(5, 40) / np.tan(scenes.sun_elevation[p])
        shift = (far * np.cos(scenes.sun_azimuth[p]), -far * np.sin(scenes.sun_azimuth[p]))
        shadow[p] = np.roll(thickness[p], np.round(shift).astype(int), (0, 1))
    return thickness, shadow


def observe_optical(
    rng: np.random.Generator, ground: Field, direct: Field, shadow: Field, scenes: Scenes
) -> Field:
    """What the sensor's product holds.

    Parameters
    ----------
    rng
        The generator that is advanced.
    ground : (n, 4, row, column)
        Reflectance x 1e4 of the covers.
    direct, shadow : (n, row, column)
        Of `landslip.simulation.terrain.illumination`.
    scenes
        Of the n patches.

    Returns
    -------
    (n, 4, row, column) float32, red, green, blue, nir: whole numbers, reflectance x 1e4 + 1000
    """
    n, _, size, _ = ground.shape
    thickness, cloud_shadow = clouds(rng, scenes, size)
    # the product's own terrain correction flattens part of the sun's angle
    sunlit = np.power(direct, column_of(rng.uniform(0.4, 1.0, size=(n,))))
    sunlit *= (1 - shadow) * (1 - np.float32(0.8) * cloud_shadow)
    # of open water: waves that glitter
    rough = column_of(np.where(scenes.sea < 1, 0.08, 0.11))
    texture = np.exp(rough * fractal_fields(rng, n, size, 1.3))
    light = sunlit[:, None] * (1 - SKYLIGHT) + SKYLIGHT
    image = ground * (light * texture[:, None])
    leaves = column_of(np.where(scenes.sea < 1, 0.11, 0.0))
    image[:, 3] *= np.exp(leaves * fractal_fields(rng, n, size, 1.8))
    image += PATH * scenes.haze.astype(np.float32)[:, None, None, None]
    cloudy = np.flatnonzero(scenes.cloud)
    top = column_of(rng.gamma(4.0, 900.0, size=(len(cloudy),)) + 1300)
    billow = top * (1 + np.float32(0.12) * fractal_fields(rng, len(cloudy), size, 2.4))
    image[cloudy] += thickness[cloudy, None] * (billow[:, None] - image[cloudy])
    blur = np.array([0.14, 0.72, 0.14], np.float32)
    image = scipy.ndimage.convolve1d(image, blur, axis=2)
    image = scipy.ndimage.convolve1d(image, blur, axis=3)
    noise = rng.standard_normal(image.shape, dtype=np.float32)
    noisy = image + noise * (18 + np.float32(0.008) * image) + np.float32(OFFSET)
    observed: Field = np.round(np.maximum(noisy, 1)).astype(np.float32, copy=False)
    return observed
