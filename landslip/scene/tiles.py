"""Maps one tile: reads its strips, asks the bundle about every patch, writes pixels and cells."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
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
from landslip.scene.reader import Flag, Pixels, Reading, SceneReader, mark, open_scene

logger = logging.getLogger(__name__)

STEPS, NODATA = 250, 255
"""Steps of probability in the map's first band, and the value without data."""
# Patches in memory at once: with 1,024 a tile took some 250 MB more, and no less time.
_BATCH = 512
_SENSORS = {
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
    reading: Reading,
    cells: Cells,
    tile: Tile,
    rule: Rule,
    predict: Predict,
    sensors: Mapping[str, str] | None = None,
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
    sensors
        The scene's sensors (optical, descending, ascending) -> what the bundle calls them, where
        it has names of its own.

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
    answers: list[_Answers] = []
    with open_scene(reading) as reader:
        strips = _Strips(reader, cells.first_columns(across), cells.patch)
        for part in _parts(down, len(across)):
            began = time.perf_counter()
            patches, there = strips.patches(cells.first_rows(part), flags, (row, column))
            read = time.perf_counter()
            answers.append(_ask(patches, there, reader.channels, predict))
            # Or they stay in memory beside the next.
            del patches
            seconds["reading"] += read - began
            seconds["predicting"] += time.perf_counter() - read
    scores = combine(np.concatenate([each.probability for each in answers]), rule, reach)
    inner = (
        slice(tile.row - top, tile.row - top + tile.rows),
        slice(tile.column - left, tile.column - left + tile.columns),
    )
    table = _table(answers, scores, inner, tile, flags, cells)
    used = {text: set(text.split("+")) for text in table["sensors"].unique()}
    for sensor, flag in _SENSORS.items():
        name = (sensors or {}).get(sensor, sensor)
        left_out = ~table["sensors"].map({text: name in names for text, names in used.items()})
        where = left_out.to_numpy(np.bool_).reshape(tile.rows, tile.columns)
        mark(flags, paint(where, cells.stride, height, width), flag)
    pixels = paint(scores[inner], cells.stride, height, width)
    unseen = np.isnan(pixels) | (flags & Flag.NODATA > 0)
    steps = np.where(unseen, NODATA, np.round(np.where(unseen, 0, pixels) * STEPS))
    return MappedTile(probability=steps.astype(np.uint8), flags=flags, cells=table, seconds=seconds)


@dataclass(frozen=True, kw_only=True)
class _Answers:
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


class _Strips:
    """Rows of patches, from a tile's top to its bottom; their pixels are read once.

    Parameters
    ----------
    columns
        First pixel columns of the patches.
    size
        Rows and columns of a patch.
    """

    def __init__(self, reader: SceneReader, columns: NDArray[np.int64], size: int) -> None:
        self._reader, self._size = reader, size
        self._column, self._across = int(columns[0]), columns - columns[0]
        self._width = int(self._across[-1]) + size
        self._above: Pixels | None = None
        self._end = 0

    def patches(
        self, rows: NDArray[np.int64], flags: NDArray[np.uint8], corner: tuple[int, int]
    ) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Read the patches that begin in these pixel rows.

        Parameters
        ----------
        flags : (row, column)
            Of the tile's pixels, filled in place.
        corner
            First row and column of the tile.

        Returns
        -------
        (n, channel, row, column), (row of patches, column of patches)
            Those that have any data, and which they are.
        """
        pixels = self._read(int(rows[0]), int(rows[-1]) + self._size)
        _keep_flags(flags, pixels.flags, (int(rows[0]), self._column), corner)
        side = (self._size, self._size)
        seen = np.lib.stride_tricks.sliding_window_view(pixels.flags & Flag.NODATA == 0, side)
        down, across = np.ix_(rows - rows[0], self._across)
        there: NDArray[np.bool_] = np.asarray(seen[down, across].any(axis=(2, 3)))
        windows = np.lib.stride_tricks.sliding_window_view(pixels.channels, side, (1, 2))
        found = np.empty((np.count_nonzero(there), len(pixels.channels), *side), np.float32)
        for place, (i, j) in enumerate(np.argwhere(there)):
            found[place] = windows[:, down[i, 0], across[0, j]]
        return found, there

    def _read(self, first: int, end: int) -> Pixels:
        kept = max(self._end - first, 0)
        pixels = self._reader.read(first + kept, self._column, end - first - kept, self._width)
        if kept and self._above is not None:
            above = _last_rows(self._above, kept)
            pixels = Pixels(
                channels=np.concatenate([above.channels, pixels.channels], axis=1),
                flags=np.concatenate([above.flags, pixels.flags]),
            )
        self._above, self._end = _last_rows(pixels, self._size), end
        return pixels


def _last_rows(pixels: Pixels, count: int) -> Pixels:
    """A copy, or the others would stay in memory."""
    rows = slice(len(pixels.flags) - count, None)
    return Pixels(channels=pixels.channels[:, rows].copy(), flags=pixels.flags[rows].copy())


def _ask(
    patches: NDArray[np.float32], there: NDArray[np.bool_], channels: list[str], predict: Predict
) -> _Answers:
    """Ask about patches; cells without one have no answer."""
    answers = predict(patches, channels)
    names = list(answers.member_names)
    probability, threshold = np.full((2, *there.shape), np.nan)
    members = np.full((*there.shape, len(names)), np.nan)
    sensors = np.full(there.shape, "", object)
    probability[there], threshold[there] = answers.probability, answers.threshold
    members[there], sensors[there] = answers.members, answers.sensors
    return _Answers(
        probability=probability, threshold=threshold, members=members, names=names, sensors=sensors
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
    answers: list[_Answers],
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
    members = np.concatenate([each.members for each in answers])[inner]
    threshold = np.concatenate([each.threshold for each in answers])[inner]
    sensors = np.concatenate([each.sensors for each in answers])[inner]
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
            **{name: members[..., at].ravel() for at, name in enumerate(answers[0].names)},
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
