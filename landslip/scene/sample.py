"""A sample of a scene's pixels, the same for every run, that the checks look at."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from landslip.scene.decibels import HIGHEST, LOWEST
from landslip.scene.layers import Layer
from landslip.scene.rasters import Grid
from landslip.scene.reader import NO_REFLECTANCE, WATER, SceneReader

Image = NDArray[np.float32]

# Nine squares of this many pixels, spread evenly: enough for quantiles, little enough to read.
SIDE = 512
_PLACES = 3


@dataclass(frozen=True, kw_only=True)
class RawFacts:
    """What the stored values of one band look like, before anything is done to them."""

    count: int
    """Pixels with data."""
    median: float
    land: float
    """Median of what the optics do not class as water; of all where they class nothing, or all."""
    land_high: float
    """Upper quartile of the same."""
    negative: float
    """Share below 0."""
    zero: float
    """Share that is exactly 0, though nobody said that 0 is no data."""
    absurd: float
    """Share beyond what backscatter in dB can be (see `landslip.scene.decibels`), or of reflectance
    below what it can be (`landslip.scene.reader.NO_REFLECTANCE`)."""
    repeated: float
    """Share that equals its neighbour, along rows and along columns, whichever is less."""
    smoothness: float
    """Squared step to the next pixel over that to the third, whichever way is less smooth."""


@dataclass(frozen=True, kw_only=True)
class Sample:
    """Squares of a scene."""

    channels: Image
    """(square, channel, row, column), in the units of the bundle."""
    classes: Image | None
    """(square, row, column) scene classification; NaN where there is none."""
    names: list[str]
    raw: dict[Layer, RawFacts]

    def channel(self, name: str) -> Image:
        """(square, row, column) of one channel."""
        return self.channels[:, self.names.index(name)]


def sample_squares(grid: Grid) -> list[tuple[int, int, int, int]]:
    """Row, column, height and width of squares spread over a grid, aligned to blocks."""

    def starts(length: int) -> list[int]:
        last = max(length - SIDE, 0)
        places = [round(last * at / max(_PLACES - 1, 1) / 256) * 256 for at in range(_PLACES)]
        return sorted({min(place, last) for place in places})

    return [
        (row, column, min(SIDE, grid.height), min(SIDE, grid.width))
        for row in starts(grid.height)
        for column in starts(grid.width)
    ]


def take_sample(reader: SceneReader) -> Sample:
    """Read the squares of a scene, and what its files hold there."""
    squares = sample_squares(reader.reading.grid)
    channels = np.stack([reader.read(*square).channels for square in squares])
    layers = reader.reading.layers
    scl = layers.optical.scl if layers.optical is not None else None
    continuous = [] if layers.optical is None else list(layers.optical.bands.values())
    continuous += [layer for look in layers.looks for layer in (look.vv, look.vh)]
    classes = None if scl is None else _stack(reader, scl, squares)
    water = None if classes is None else classes == WATER
    return Sample(
        channels=channels,
        classes=classes,
        names=reader.channels,
        raw={
            layer: raw_facts(_stack(reader, layer, squares), water, _limits(layer))
            for layer in continuous
        },
    )


def _limits(layer: Layer) -> tuple[float, float]:
    """Stored values beyond which there is no data."""
    if layer.unit == "reflectance_1e4":
        return NO_REFLECTANCE / layer.gain - layer.add, np.inf
    return LOWEST, HIGHEST


def _stack(reader: SceneReader, layer: Layer, squares: list[tuple[int, int, int, int]]) -> Image:
    source = reader.source(layer)
    return np.stack([source.read(*square) for square in squares])


def raw_facts(
    values: Image,
    water: NDArray[np.bool_] | None = None,
    limits: tuple[float, float] = (LOWEST, HIGHEST),
) -> RawFacts:
    """Facts of a band.

    Parameters
    ----------
    values : (square, row, column)
        NaN has no data.
    water : (square, row, column)
        What the optics class as water; None: they class nothing.
    limits
        Beyond which values are absurd.
    """
    finite = np.isfinite(values)
    there = values[finite]
    if there.size == 0:
        nothing = float("nan")
        return RawFacts(
            count=0, median=nothing, land=nothing, land_high=nothing, negative=0, zero=0, absurd=0,
            repeated=0, smoothness=1,
        )  # fmt: skip
    land = there if water is None else values[finite & ~water]
    middle, high = np.quantile(land if land.size else there, (0.5, 0.75))
    return RawFacts(
        count=int(there.size),
        median=float(np.median(there)),
        land=float(middle),
        land_high=float(high),
        negative=float(np.mean(there < 0)),
        zero=float(np.mean(there == 0)),
        absurd=float(np.mean((there < limits[0]) | (there > limits[1]))),
        # In degrees the nearest pixel repeats along the rows alone; enlarged ones do both ways.
        repeated=min(_repeated(values), _repeated(values.swapaxes(-1, -2))),
        smoothness=max(_smoothness(values), _smoothness(values.swapaxes(-1, -2))),
    )


def _smoothness(values: Image) -> float:
    """Squared step to the next pixel over that to the third next, along the last axis."""
    near = _typical_step(values[..., 1:] - values[..., :-1])
    far = _typical_step(values[..., 3:] - values[..., :-3])
    return (near / far) ** 2 if far else 1.0


def _typical_step(differences: Image) -> float:
    """Median of absolute differences, which bright points do not move."""
    there = differences[np.isfinite(differences)]
    return float(np.median(np.abs(there))) if there.size else 0.0


def _repeated(values: Image) -> float:
    """Share of neighbours along the last axis that are equal and not 0."""
    left, right = values[..., :-1], values[..., 1:]
    there = np.isfinite(left) & np.isfinite(right) & (left != 0)
    return float(np.mean(left[there] == right[there])) if there.any() else 0.0
