"""Reads windows of a scene: the channels that a bundle takes, and why pixels have no data."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from enum import IntFlag
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.enums import MaskFlags, Resampling
from rasterio.features import geometry_mask
from rasterio.vrt import WarpedVRT
from rasterio.windows import Window

from landslip.io.files import InputError
from landslip.scene.decibels import median_of_looks, to_decibels
from landslip.scene.layers import (
    OPTICAL,
    POLARISATIONS,
    SHORT,
    SIDES,
    Layer,
    Layers,
    Look,
)
from landslip.scene.rasters import Grid, gdal_env, grid_of, open_raster, readable

Image = NDArray[np.float32]

_SATURATED = 65535
# Read at once: of a whole tile, what is made on the way from files to channels would take hundreds
# of megabytes, and no cache of a processor would hold it.
_ROWS = 256
NO_REFLECTANCE = -2000.0
"""Reflectance x 1e4, twice that of a product's darkest number. No ground is darker: what stands
there, such as -9999, means that there is no data."""
_SHADOW = 3
WATER = 6
"""Class of the scene classification."""
_CLOUDS = (8, 9, 10)


class Flag(IntFlag):
    """Bits of band 2 of the map."""

    NODATA = 1
    """No sensor has data here."""
    CLOUD = 2
    SHADOW = 4
    """Of a cloud."""
    LAYOVER = 8
    """Layover or radar shadow in an orbit."""
    WATER = 16
    NO_OPTICAL = 32
    """The score of this cell was given without the optics."""
    NO_DESCENDING = 64
    NO_ASCENDING = 128


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How a scene is read; all that decides what its pixels are."""

    layers: Layers
    grid: Grid
    align: str | None = None
    """How what lies on another grid is resampled; None refuses it."""
    exclude: Sequence[int] = (0, 1, 3, 9, 10, 11)
    """Classes of SCL where the optics have no data."""
    reflectance_offset: float = 1000.0
    """Added to reflectance x 1e4, as the bundle has it."""
    area: Sequence[dict[str, Any]] = ()
    """Polygons, as GeoJSON in the grid's coordinates; nothing outside has data."""


@dataclass(frozen=True, kw_only=True)
class Pixels:
    """A rectangle of a scene."""

    channels: Image
    """(channel, row, column) in the order of `SceneReader.channels`; NaN has no data."""
    flags: NDArray[np.uint8]
    """(row, column) bits of `Flag`."""


class Blocks(NamedTuple):
    """Rectangles of a scene that its files are decoded in, side by side."""

    first_row: int
    """Where one begins."""
    first_column: int
    height: int
    """Pixels."""
    width: int


def mark(flags: NDArray[np.uint8], where: Any, flag: Flag) -> None:
    """Set one bit where it applies, in place."""
    flags[where] |= np.uint8(flag)


@contextmanager
def open_scene(reading: Reading) -> Iterator[SceneReader]:
    """A reader with every file of the scene open.

    Raises
    ------
    InputError
        A file cannot be read, or lies on another grid and `align` is not given.
    """
    with gdal_env(), ExitStack() as stack:
        yield SceneReader(reading, stack)


class SceneReader:
    """Reads rectangles of the scene's grid; what lies outside of it has no data."""

    def __init__(self, reading: Reading, stack: ExitStack) -> None:
        layers = reading.layers
        self.reading = reading
        self.channels = layers.channels
        self._stack = stack
        self._open: dict[Layer, _Source] = {}
        optical = layers.optical
        self._optical = [] if optical is None else [self.source(optical.bands[b]) for b in OPTICAL]
        self._scl = None if optical is None or optical.scl is None else self.source(optical.scl)
        for look in layers.looks:
            for layer in (look.vv, look.vh, *([look.layover] if look.layover else [])):
                self.source(layer)

    def source(self, layer: Layer) -> _Source:
        """The open band of a layer."""
        if layer not in self._open:
            self._open[layer] = _Source(layer, self.reading, self._stack)
        return self._open[layer]

    def blocks(self, least: int) -> Blocks:
        """The largest blocks of a file, or several of them, `least` pixels a side or more."""
        sources = list(self._open.values())
        tallest = max(sources, key=lambda source: source.block[0])
        widest = max(sources, key=lambda source: source.block[1])
        height, width = tallest.block[0], widest.block[1]
        return Blocks(
            first_row=tallest.offset[0],
            first_column=widest.offset[1],
            height=-(-least // height) * height,
            width=-(-least // width) * width,
        )

    def read(self, row: int, column: int, height: int, width: int) -> Pixels:
        """Read a rectangle, which may reach over the scene's edges."""
        channels = np.full((len(self.channels), height, width), np.nan, np.float32)
        flags = np.zeros((height, width), np.uint8)
        for first, last in pairwise(_cuts(row, row + height)):
            rows = slice(first - row, last - row)
            self._fill((first, column, last - first, width), channels[:, rows], flags[rows])
        return Pixels(channels=channels, flags=flags)

    def _fill(
        self, at: tuple[int, int, int, int], channels: Image, flags: NDArray[np.uint8]
    ) -> None:
        if self._optical:
            self._read_optical(at, channels, flags)
        for orbit in self.reading.layers.radar:
            self._read_orbit(orbit, at, channels, flags)
        if self.reading.area:
            part = self.reading.grid.part(*at)
            outside = geometry_mask(self.reading.area, flags.shape, part.transform)
            channels[:, outside] = np.nan
        # Isolated infinities of an index or a logarithm are no data either.
        channels[~np.isfinite(channels)] = np.nan
        mark(flags, np.isnan(channels).all(axis=0), Flag.NODATA)

    def _read_optical(
        self, at: tuple[int, int, int, int], channels: Image, flags: NDArray[np.uint8]
    ) -> None:
        for number, source in enumerate(self._optical):
            layer, values = source.layer, source.read(*at)
            values += np.float32(layer.add)
            if layer.gain != 1:
                values *= np.float32(layer.gain)
            values[values < NO_REFLECTANCE] = np.nan
            values += np.float32(self.reading.reflectance_offset)
            channels[number] = values
        channels[:4, np.isnan(channels[:4]).any(axis=0)] = np.nan
        if self._scl is None:
            return
        # Where the file says that it has no data, or does not reach, it is class 0.
        classes = np.nan_to_num(self._scl.read(*at), nan=0.0)
        mark(flags, np.isin(classes, _CLOUDS), Flag.CLOUD)
        mark(flags, classes == _SHADOW, Flag.SHADOW)
        mark(flags, classes == WATER, Flag.WATER)
        channels[:4, np.isin(classes, list(self.reading.exclude))] = np.nan

    def _read_orbit(
        self, orbit: str, at: tuple[int, int, int, int], channels: Image, flags: NDArray[np.uint8]
    ) -> None:
        sides = self.reading.layers.radar[orbit]
        for polarisation in POLARISATIONS:
            medians = {}
            for side in SIDES:
                looks = [self.decibels(look, polarisation, at) for look in sides[side]]
                medians[side] = median_of_looks(np.stack(looks))
            name = f"{SHORT[orbit]}_{polarisation}"
            channels[self.channels.index(name)] = medians["after"]
            change = self.channels.index(f"{SHORT[orbit]}_diff_{polarisation}")
            channels[change] = medians["after"] - medians["before"]
        for look in (look for side in SIDES for look in sides[side] if look.layover):
            mark(flags, self._hidden(look, at), Flag.LAYOVER)

    def decibels(self, look: Look, polarisation: str, at: tuple[int, int, int, int]) -> Image:
        """One polarisation of one acquisition, dB; NaN in layover and shadow."""
        layer: Layer = getattr(look, polarisation)
        values = to_decibels(self.source(layer).read(*at), layer.unit)
        if look.layover is not None:
            values = np.where(self._hidden(look, at), np.float32(np.nan), values)
        return values

    def _hidden(self, look: Look, at: tuple[int, int, int, int]) -> NDArray[np.bool_]:
        assert look.layover is not None
        classes = self.source(look.layover).read(*at)
        hidden: NDArray[np.bool_] = ~np.isnan(classes) & (classes != look.clear)
        return hidden


def _cuts(first: int, last: int) -> list[int]:
    """Cut a rectangle into rows that are read at once: its first and last, and those between."""
    # Blocks of files, as a rule 256 rows or a multiple, stay whole.
    inside = range(first // _ROWS * _ROWS + _ROWS, last, _ROWS)
    return [first, *inside, last]


class _Source:
    """One band, read in the scene's grid."""

    def __init__(self, layer: Layer, reading: Reading, stack: ExitStack) -> None:
        self.layer = layer
        raster = stack.enter_context(open_raster(layer.file))
        offset = reading.grid.offset_of(grid_of(raster))
        if offset is None:
            raster = stack.enter_context(_aligned(raster, layer, reading))
        self.offset = offset or (0, 0)
        self.raster = raster
        self.block: tuple[int, int] = raster.block_shapes[layer.band - 1]
        declared = raster.nodatavals[layer.band - 1]
        self.nodata = [value for value in (declared, layer.nodata) if value is not None]
        self.masked = MaskFlags.per_dataset in raster.mask_flag_enums[layer.band - 1]

    def read(self, row: int, column: int, height: int, width: int) -> Image:
        """(row, column) float32, as the file has the values; NaN where it has no data."""
        top, left = row - self.offset[0], column - self.offset[1]
        first, last = max(top, 0), min(top + height, self.raster.height)
        start, end = max(left, 0), min(left + width, self.raster.width)
        if first >= last or start >= end:
            return np.full((height, width), np.nan, np.float32)
        window = Window(start, first, end - start, last - first)
        with readable(self.layer.file):
            raw = self.raster.read(self.layer.band, window=window)
            mask = self.raster.read_masks(self.layer.band, window=window) if self.masked else None
        part: Image = raw.astype(np.float32, copy=False)
        for value in self.nodata:
            if not np.isnan(value):
                part[raw == value] = np.nan
        if raw.dtype == np.uint16:
            part[raw == _SATURATED] = np.nan
        if mask is not None:
            part[mask == 0] = np.nan
        if part.shape == (height, width):
            return part
        values = np.full((height, width), np.nan, np.float32)
        values[first - top : last - top, start - left : end - left] = part
        return values


def _aligned(raster: Any, layer: Layer, reading: Reading) -> WarpedVRT:
    """A view of a raster in the scene's grid; masks may always be brought there."""
    is_mask = layer.unit == "classes"
    if reading.align is None and not is_mask:
        ours, theirs = reading.grid, grid_of(raster)
        raise InputError(
            f"{layer.file} lies on another grid ({theirs.crs}, pixels of {theirs.across:g} x "
            f"{theirs.down:g}, corner {theirs.left:.9g} {theirs.top:.9g}) than the scene "
            f"({ours.crs}, {ours.across:g} x {ours.down:g}, corner {ours.left:.9g} "
            f"{ours.top:.9g}); set `align: {{method: bilinear}}` to have it resampled, or warp it"
        )
    nodata_values = {raster.nodatavals[layer.band - 1], layer.nodata} - {None}
    # What is NaN anyway stays so.
    fill = sorted(value for value in nodata_values if not np.isnan(value))
    if len(fill) > 1:
        raise InputError(
            f"{layer.file} has two values that mean no data, {fill[0]:g} and {fill[1]:g}, one "
            "declared in the file and one by the scene file or the product; resampling takes one: "
            "write a copy with a single nodata value"
        )
    grid = reading.grid
    return WarpedVRT(
        raster,
        crs=rasterio.CRS.from_user_input(grid.crs),
        transform=grid.transform,
        width=grid.width,
        height=grid.height,
        resampling=Resampling.nearest if is_mask else Resampling[reading.align or "nearest"],
        # Both, or what has no data is mixed into its neighbours.
        src_nodata=fill[0] if fill else None,
        nodata=np.nan,
        dtype="float32",
    )
