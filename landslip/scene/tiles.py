"""Maps one tile: reads its strips, asks the bundle about every patch, writes pixels and cells."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import rasterio
from numpy.typing import NDArray

from landslip.io.files import write_parquet
from landslip.io.rasters import raster_in_memory
from landslip.scene.cells import Cells, Rule, Tile, combine, paint, pixel_extent
from landslip.scene.reader import Flag, Reading, SceneReader, mark, open_scene

logger = logging.getLogger(__name__)

STEPS, NODATA = 250, 255
"""Steps of probability in the map's first band, and the value without data."""
# Patches in memory at once: with 1,024 a tile took some 250 MB more, and no less time.
_BATCH = 512
SENSORS = {
    "optical": Flag.NO_OPTICAL,
    "descending": Flag.NO_DESCENDING,
    "ascending": Flag.NO_ASCENDING,
}


# Asks about patches (n, channel, row, column) of these channels, and gives a
# `landslip.bundle.answer.Answer`. A tile's code needs no more of a bundle, which may change.
Predict = Callable[[NDArray[np.float32], Sequence[str]], Any]


@dataclass(frozen=True, kw_only=True)
class MappedTile:
    """A tile's pixels and cells."""

    probability: NDArray[np.uint8]
    """(row, column) in steps of 1 / 250; 255 where there is none."""
    flags: NDArray[np.uint8]
    cells: pd.DataFrame
    """row, column, probability, threshold, sensors, observed, cloud, layover, a column a member."""
    seconds: dict[str, float] = field(default_factory=dict)
    """Spent on reading and on predicting."""


def map_tile(
    reading: Reading, cells: Cells, tile: Tile, rule: Rule, predict: Predict
) -> MappedTile:
    """Score every cell of a tile.

    Parameters
    ----------
    reading, cells
        The scene and its cells.
    rule
        How a cell's score follows from those of patches; see `combine`.
    predict
        The bundle.

    Notes
    -----
    Memory is that of one strip of patches and of the tile's two bands, whatever the scene.
    """
    reach = cells.reach if rule != "centre" else 0
    top, left = max(tile.row - reach, 0), max(tile.column - reach, 0)
    down = np.arange(top, min(tile.row + tile.rows + reach, cells.rows))
    across = np.arange(left, min(tile.column + tile.columns + reach, cells.columns))
    row, column, height, width = pixel_extent(cells, tile)
    flags = np.zeros((height, width), np.uint8)
    seconds = {"reading": 0.0, "predicting": 0.0}
    strips: list[_Strip] = []
    with open_scene(reading) as reader:
        for part in _parts(down, len(across)):
            began = time.perf_counter()
            strip, start, seen = _read_strip(reader, cells, part, across)
            _keep_flags(flags, seen, start, (row, column))
            patches = _patches(strip, cells, part, across, start)
            read = time.perf_counter()
            strips.append(_ask(patches, reader.channels, predict, (len(part), len(across))))
            seconds["reading"] += read - began
            seconds["predicting"] += time.perf_counter() - read
    scores = combine(np.concatenate([each.probability for each in strips]), rule, reach)
    inner = (
        slice(tile.row - top, tile.row - top + tile.rows),
        slice(tile.column - left, tile.column - left + tile.columns),
    )
    table = _table(strips, scores, inner, tile, flags, cells)
    for sensor, flag in SENSORS.items():
        left_out = ~table["sensors"].str.contains(sensor, regex=False).to_numpy()
        where = left_out.reshape(tile.rows, tile.columns)
        mark(flags, paint(where, cells.stride, height, width), flag)
    pixels = paint(scores[inner], cells.stride, height, width)
    unseen = np.isnan(pixels) | (flags & Flag.NODATA > 0)
    steps = np.where(unseen, NODATA, np.round(np.where(unseen, 0, pixels) * STEPS))
    return MappedTile(probability=steps.astype(np.uint8), flags=flags, cells=table, seconds=seconds)


@dataclass(frozen=True, kw_only=True)
class _Strip:
    """What the bundle says of rows of cells."""

    probability: NDArray[np.float64]
    """(row, column)"""
    threshold: NDArray[np.float64]
    members: NDArray[np.float64]
    """(row, column, member)"""
    names: list[str]
    sensors: NDArray[np.object_]


def _parts(rows: NDArray[np.int64], columns: int) -> Iterator[NDArray[np.int64]]:
    """Rows of cells, as many at once as their patches fit into memory."""
    step = max(_BATCH // max(columns, 1), 1)
    for start in range(0, len(rows), step):
        yield rows[start : start + step]


def _read_strip(
    reader: SceneReader, cells: Cells, rows: NDArray[np.int64], columns: NDArray[np.int64]
) -> tuple[NDArray[np.float32], tuple[int, int], NDArray[np.uint8]]:
    """Pixels of the patches of rows of cells, and their first row and column."""
    first, start = cells.first_rows(rows), cells.first_columns(columns)
    row, column = int(first[0]), int(start[0])
    height = int(first[-1]) + cells.patch - row
    width = int(start[-1]) + cells.patch - column
    pixels = reader.read(row, column, height, width)
    return pixels.channels, (row, column), pixels.flags


def _patches(
    strip: NDArray[np.float32],
    cells: Cells,
    rows: NDArray[np.int64],
    columns: NDArray[np.int64],
    start: tuple[int, int],
) -> NDArray[np.float32]:
    """(row of cells * column of cells, channel, row, column)."""
    windows = np.lib.stride_tricks.sliding_window_view(strip, (cells.patch,) * 2, (1, 2))
    down = cells.first_rows(rows) - start[0]
    across = cells.first_columns(columns) - start[1]
    chosen = windows[:, down[:, None], across[None, :]]
    channels = len(strip)
    return np.ascontiguousarray(
        chosen.transpose(1, 2, 0, 3, 4).reshape(-1, channels, cells.patch, cells.patch)
    )


def _ask(
    patches: NDArray[np.float32], channels: list[str], predict: Predict, shape: tuple[int, int]
) -> _Strip:
    """Ask about the patches that have any data; the others have no answer."""
    there = np.isfinite(patches).any(axis=(1, 2, 3))
    answers = predict(patches[there], channels)
    count, names = len(patches), list(answers.member_names)
    probability, threshold = np.full((2, count), np.nan)
    members = np.full((count, len(names)), np.nan)
    sensors = np.full(count, "", object)
    probability[there], threshold[there] = answers.probability, answers.threshold
    members[there], sensors[there] = answers.members, answers.sensors
    return _Strip(
        probability=probability.reshape(shape),
        threshold=threshold.reshape(shape),
        members=members.reshape(*shape, len(names)),
        names=names,
        sensors=sensors.reshape(shape),
    )


def _keep_flags(
    flags: NDArray[np.uint8],
    seen: NDArray[np.uint8],
    start: tuple[int, int],
    corner: tuple[int, int],
) -> None:
    """Copy a strip's flags to where they lie in the tile; strips overlap and agree."""
    row, column = start[0] - corner[0], start[1] - corner[1]
    top, left = max(row, 0), max(column, 0)
    bottom = min(row + seen.shape[0], flags.shape[0])
    right = min(column + seen.shape[1], flags.shape[1])
    if top < bottom and left < right:
        flags[top:bottom, left:right] = seen[
            top - row : bottom - row, left - column : right - column
        ]


def _table(
    strips: list[_Strip],
    scores: NDArray[np.float64],
    inner: tuple[slice, slice],
    tile: Tile,
    flags: NDArray[np.uint8],
    cells: Cells,
) -> pd.DataFrame:
    """One row a cell of the tile."""
    rows, columns = np.mgrid[
        tile.row : tile.row + tile.rows, tile.column : tile.column + tile.columns
    ]
    members = np.concatenate([each.members for each in strips])[inner]
    threshold = np.concatenate([each.threshold for each in strips])[inner]
    sensors = np.concatenate([each.sensors for each in strips])[inner]
    shares = {
        "observed": flags & Flag.NODATA == 0,
        "cloud": flags & (Flag.CLOUD | Flag.SHADOW) > 0,
        "layover": flags & Flag.LAYOVER > 0,
        "water": flags & Flag.WATER > 0,
    }
    return pd.DataFrame(
        {
            "row": rows.ravel(),
            "column": columns.ravel(),
            "probability": scores[inner].ravel(),
            "threshold": threshold.ravel(),
            "sensors": sensors.ravel().astype(str),
            **{name: _cell_share(where, cells, tile) for name, where in shares.items()},
            **{name: members[..., at].ravel() for at, name in enumerate(strips[0].names)},
        }
    )


def _cell_share(where: NDArray[np.bool_], cells: Cells, tile: Tile) -> NDArray[np.float64]:
    """Share of the pixels of each cell in which something holds."""
    height, width = where.shape
    down = np.arange(0, height, cells.stride)
    across = np.arange(0, width, cells.stride)
    counts = np.add.reduceat(np.add.reduceat(where.astype(np.int64), down, 0), across, 1)
    sizes = np.outer(np.diff([*down, height]), np.diff([*across, width]))
    return np.asarray((counts / sizes).ravel(), np.float64)


def write_tile(
    mapped: MappedTile, reading: Reading, cells: Cells, tile: Tile, image: Path, table: Path
) -> None:
    """Write a tile's GeoTIFF of two bands and its table of cells."""
    row, column, height, width = pixel_extent(cells, tile)
    part = reading.grid.part(row, column, height, width)
    profile: dict[str, Any] = {
        "driver": "GTiff", "width": width, "height": height, "count": 2, "dtype": "uint8",
        "crs": rasterio.CRS.from_user_input(part.crs), "transform": part.transform,
        "nodata": NODATA, "compress": "deflate",
    }  # fmt: skip
    with raster_in_memory(image) as memory, memory.open(**profile) as target:
        target.write(mapped.probability, 1)
        target.write(mapped.flags, 2)
    write_parquet(table, mapped.cells)
    logger.info(
        "tile %d: %d cells, %.1f s reading, %.1f s predicting",
        tile.number, len(mapped.cells), mapped.seconds["reading"], mapped.seconds["predicting"],
    )  # fmt: skip
