"""Small pictures of a scene and its zones, as data addresses that a page holds."""

from __future__ import annotations

import base64
import warnings
from contextlib import ExitStack
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.errors import NotGeoreferencedWarning
from rasterio.io import MemoryFile
from rasterio.windows import Window

from landslip.scene.layers import OPTICAL
from landslip.scene.rasters import gdal_env, readable
from landslip.scene.reader import Reading, SceneReader
from landslip.scene.styles import RAMP
from landslip.scene.tiles import NODATA, STEPS

Bytes = NDArray[np.uint8]
# Of the page's pictures of the whole scene.
_LARGEST = 1400
# dB of change that a thumbnail shows in full colour.
_CHANGE = 6.0


def address(image: Bytes, kind: str = "PNG", **options: Any) -> str:
    """(band, row, column) as a data address.

    Parameters
    ----------
    kind : PNG or JPEG
    """
    count, height, width = image.shape
    with rasterio.Env(GDAL_PAM_ENABLED="NO"), MemoryFile() as memory, warnings.catch_warnings():
        # A picture on a page lies nowhere on earth.
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        with memory.open(
            driver=kind, width=width, height=height, count=count, dtype="uint8", **options
        ) as target:
            target.write(image)
        encoded = base64.b64encode(memory.read()).decode()
    return f"data:image/{kind.lower()};base64,{encoded}"


def stretch(bands: NDArray[np.floating[Any]]) -> Bytes:
    """(band, row, column) as bytes: 2 to 98 % of each band; black where there is no data."""
    image = np.zeros(bands.shape, np.uint8)
    for number, band in enumerate(bands):
        there = np.isfinite(band)
        if there.any():
            low, high = np.percentile(band[there], (2, 98))
            scaled = (band[there] - low) / max(high - low, 1e-6)
            image[number][there] = np.clip(scaled * 254 + 1, 1, 255)
    return image


def change_colours(change: NDArray[np.floating[Any]]) -> Bytes:
    """(row, column) dB as red (brighter) and blue (darker); grey where there is no data."""
    there = np.isfinite(change)
    level = np.clip(np.where(there, change, 0) / _CHANGE, -1, 1)
    red = 255 * (1 - np.maximum(-level, 0))
    blue = 255 * (1 - np.maximum(level, 0))
    green = np.minimum(red, blue)
    image = np.stack([red, green, blue])
    image[:, ~there] = 150
    return image.astype(np.uint8)


def shrink(height: int, width: int) -> int:
    """Pixels of the scene that are one of a picture of the whole."""
    return max(-(-max(height, width) // _LARGEST), 1)


def background(reading: Reading) -> str:
    """The optics in natural colours; the radar after the event where there are none."""
    grid = reading.grid
    step = shrink(grid.height, grid.width)
    shape = (-(-grid.height // step), -(-grid.width // step))
    layers = reading.layers
    with gdal_env(), ExitStack() as stack:
        reader = SceneReader(reading, stack)
        if layers.optical is not None:
            sources = [reader.source(layers.optical.bands[name]) for name in OPTICAL[:3]]
        else:
            sources = [reader.source(layers.looks[-1].vv)]
        bands = []
        for source in sources:
            assert source.offset is not None
            window = Window(-source.offset[1], -source.offset[0], grid.width, grid.height)
            with readable(source.layer.file):
                band = source.raster.read(
                    source.layer.band, window=window, boundless=True, out_shape=shape, fill_value=0
                ).astype(np.float64)
            band[(band == 0) | np.isin(band, source.nodata)] = np.nan
            bands.append(10 * np.log10(band) if source.layer.unit == "power" else band)
    image = stretch(np.stack(bands))
    return address(np.repeat(image, 3, 0) if len(image) == 1 else image, "JPEG", QUALITY=85)


def probability_overlay(path: str) -> str:
    """The map's probabilities in colours, low ones transparent."""
    with gdal_env(), rasterio.open(path) as source:
        step = shrink(source.height, source.width)
        shape = (-(-source.height // step), -(-source.width // step))
        values = source.read(1, out_shape=shape)
    colours = np.array([[int(part) for part in colour.split(",")] for _, colour in RAMP])
    levels = np.array([level * STEPS for level, _ in RAMP])
    image = np.stack([np.interp(values, levels, colours[:, at]) for at in range(4)])
    image[3, values == NODATA] = 0
    return address(image.astype(np.uint8))


def thumbnails(patch: NDArray[np.float32], names: list[str]) -> dict[str, str]:
    """Optics and radar change of a patch (channel, row, column), where they have data."""
    found = {}
    if "red" in names:
        optics = np.stack([patch[names.index(name)] for name in OPTICAL[:3]])
        if np.isfinite(optics).any():
            found["optical"] = address(stretch(optics))
    for name, title in (("desc_diff_vv", "descending"), ("asc_diff_vv", "ascending")):
        if name in names and np.isfinite(patch[names.index(name)]).any():
            found[title] = address(change_colours(patch[names.index(name)]))
    return found
