"""Cells of a map: which patch scores which pixels, and how cells are shared out to tiles.

Stride s cuts the scene into cells of s x s pixels. A cell takes the score of the patch that is
centred on it; at the scene's edge, of the nearest whole patch. So every pixel belongs to one cell,
every cell to one tile, and tiles know nothing of one another.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise, product
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Rule = Literal["centre", "mean", "min"]
Numbers = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Cells:
    """The cells of a scene."""

    height: int
    """Of the scene, pixels."""
    width: int
    patch: int
    """Rows and columns of a patch."""
    stride: int
    """Rows and columns of a cell; no larger than a patch."""

    @property
    def rows(self) -> int:
        """Rows of cells; the last may be cut."""
        return -(-self.height // self.stride)

    @property
    def columns(self) -> int:
        """Columns of cells."""
        return -(-self.width // self.stride)

    def first_rows(self, cells: Numbers) -> Numbers:
        """First pixel row of the patches of rows of cells."""
        return self._first(cells, self.height)

    def first_columns(self, cells: Numbers) -> Numbers:
        """First pixel column of the patches of columns of cells."""
        return self._first(cells, self.width)

    def _first(self, cells: Numbers, length: int) -> Numbers:
        centred = cells * self.stride + self.stride // 2 - self.patch // 2
        first: Numbers = np.clip(centred, 0, max(length - self.patch, 0))
        return first

    @property
    def reach(self) -> int:
        """How many cells away a patch still covers at least half of a cell, along one axis."""
        return self.patch // 2 // self.stride


@dataclass(frozen=True, kw_only=True)
class Tile:
    """A rectangle of cells that one job maps."""

    number: int
    row: int
    """First row of cells."""
    column: int
    rows: int
    """How many."""
    columns: int


def cut_tiles(cells: Cells, pixels: int) -> list[Tile]:
    """Share out the cells to tiles of about so many pixels a side.

    The patches of a tile begin where those of the one before it are cut at a multiple of `pixels`:
    a tile reads no more of the blocks there, which are slow to decode, than those that follow.
    """
    side = max(pixels // cells.stride, 1)
    # Patches are larger than cells, and those of so many cells begin before the cell's multiple.
    before = -(-(cells.patch // 2 - cells.stride // 2) // cells.stride)
    rows, columns = (
        pairwise([0, *range(side + before, count, side), count])
        for count in (cells.rows, cells.columns)
    )
    corners = product(rows, columns)
    return [
        Tile(number=number, row=top, column=left, rows=bottom - top, columns=right - left)
        for number, ((top, bottom), (left, right)) in enumerate(corners)
    ]


def pixel_extent(cells: Cells, tile: Tile) -> tuple[int, int, int, int]:
    """First row and column, height and width of a tile in pixels of the scene."""
    row, column = tile.row * cells.stride, tile.column * cells.stride
    height = min((tile.row + tile.rows) * cells.stride, cells.height) - row
    width = min((tile.column + tile.columns) * cells.stride, cells.width) - column
    return row, column, height, width


def combine(scores: NDArray[np.float64], rule: Rule, reach: int) -> NDArray[np.float64]:
    """Scores of cells from those of the patches centred on them and on their neighbours.

    Parameters
    ----------
    scores : (row, column) of patches; NaN where there is none
    rule
        centre: the cell's own patch. mean, min: of all patches that cover at least half of the
        cell along either axis.
    reach : see `Cells.reach`

    Returns
    -------
    The same shape; NaN where the cell's own patch has no score.
    """
    if rule == "centre" or reach == 0:
        return scores
    fold: Callable[..., NDArray[np.float64]] = np.nanmean if rule == "mean" else np.nanmin
    padded = np.pad(scores, reach, constant_values=np.nan)
    side = 2 * reach + 1
    around = np.lib.stride_tricks.sliding_window_view(padded, (side, side))
    combined = np.full_like(scores, np.nan)
    there = np.isfinite(scores)
    combined[there] = fold(around[there], axis=(1, 2))
    return combined


def paint(values: NDArray[Any], stride: int, height: int, width: int) -> NDArray[Any]:
    """Values of cells (row, column) as pixels (height, width)."""
    return np.repeat(np.repeat(values, stride, 0), stride, 1)[:height, :width]
