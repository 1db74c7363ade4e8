"""The plain way to a window of a scene: every file is opened and read for it alone."""

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.windows import Window

from landslip.scene.layers import Layers


def plain_window(layers: Layers, window: Window) -> NDArray[np.float32]:
    """Channels (channel, row, column): optics, then of each orbit dB after and its change."""
    assert layers.optical is not None
    patch = []
    for name in ("red", "green", "blue", "nir"):
        with rasterio.open(layers.optical.bands[name].file) as file:
            patch.append(file.read(1, window=window).astype(np.float32))
    for sides in layers.radar.values():
        medians = {}
        for side, looks in sides.items():
            decibels = []
            for look in looks:
                with rasterio.open(look.vv.file) as file:
                    power = file.read(window=window)
                decibels.append(10 * np.log10(np.where(power > 0, power, np.nan)))
            medians[side] = np.nanmedian(decibels, axis=0)
        patch += [*medians["after"], *(medians["after"] - medians["before"])]
    return np.stack(patch).astype(np.float32)
