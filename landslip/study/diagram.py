"""Boxes of text in columns and arrows between them, in inches from a figure's upper left corner."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from landslip.report.plots import Axes, FancyArrowPatch, FancyBboxPatch, Figure
from landslip.report.style import INK, QUIET, picture_axes

GAP = 0.2  # between boxes of a column
_LINE = 0.155  # a line of text
_MARGIN = 0.09  # between a box and its text
_LETTERS = 15.5  # of the text in an inch; bold ones are wider
_BOLD = 0.88
_BUS = 0.3  # before a column, where the arrows into its first box meet
_BEND = 0.3  # beside a column, where arrows pass boxes by
_NARROWER = 3  # how soon further such arrows lie closer

Lines = tuple[str, ...]


class Column(NamedTuple):
    """Where boxes stand one below the other."""

    left: float
    width: float
    colour: str

    def wrap(self, title: str, *texts: str) -> Lines:
        """Lines that fit into a box: the title, in bold, and each text on lines of its own."""
        letters = (self.width - 2 * _MARGIN) * _LETTERS
        lines = textwrap.wrap(title, int(letters * _BOLD))[:1]
        rest = title[len(lines[0]) :].strip() if lines else ""
        return (
            *lines,
            *(part for text in (rest, *texts) for part in textwrap.wrap(text, int(letters))),
        )


@dataclass(frozen=True)
class Box:
    """A box and its lines of text, the first in bold."""

    column: Column
    top: float
    lines: Lines

    @property
    def bottom(self) -> float:
        """Its lower edge."""
        return self.top + height_of(self.lines)

    @property
    def middle(self) -> float:
        """Half way down."""
        return (self.top + self.bottom) / 2

    @property
    def right(self) -> float:
        """Its right edge."""
        return self.column.left + self.column.width

    @property
    def centre(self) -> float:
        """Half way across."""
        return self.column.left + self.column.width / 2


def height_of(lines: Lines) -> float:
    """Of a box with these lines."""
    return 0.16 + _LINE * len(lines)


def height_of_all(boxes: Sequence[Lines]) -> float:
    """Of boxes one below the other."""
    return sum(height_of(lines) for lines in boxes) + GAP * (len(boxes) - 1)


def stack(column: Column, boxes: Sequence[Lines], top: float) -> list[Box]:
    """Boxes one below the other."""
    placed = []
    for lines in boxes:
        placed.append(Box(column, top, lines))
        top = placed[-1].bottom + GAP
    return placed


def canvas(figure: Figure) -> Axes:
    """An axes over the whole figure, in inches from the upper left corner."""
    figure.set_layout_engine("none")
    width, height = figure.get_size_inches()
    axes = figure.add_axes((0, 0, 1, 1))
    picture_axes(axes)
    axes.set(xlim=(0, width), ylim=(height, 0))
    return axes


def draw_box(axes: Axes, box: Box) -> None:
    """The box with its text."""
    inner = 0.05
    axes.add_patch(
        FancyBboxPatch(
            (box.column.left + inner, box.top + inner),
            box.column.width - 2 * inner,
            box.bottom - box.top - 2 * inner,
            boxstyle=f"round,pad={inner}",
            facecolor="white",
            edgecolor=box.column.colour,
            lw=1.4,
            zorder=3,
        )
    )
    for place, line in enumerate(box.lines):
        axes.text(
            box.column.left + _MARGIN,
            box.top + 0.08 + _LINE * (place + 0.5),
            line,
            fontsize=8,
            va="center",
            weight="bold" if place == 0 else "normal",
            color=INK,
            zorder=4,
        )


def join_down(axes: Axes, start: Box, end: Box) -> None:
    """An arrow to a box below."""
    _arrow(axes, [(start.centre, start.bottom), (end.centre, end.top)])


def join_right(axes: Axes, start: Box, end: Box) -> None:
    """An arrow to a box of the next column."""
    bus = end.column.left - _BUS
    _arrow(
        axes,
        [
            (start.right, start.middle),
            (bus, start.middle),
            (bus, end.middle),
            (end.column.left, end.middle),
        ],
    )


def join_round(axes: Axes, start: Box, end: Box, passing: int) -> None:
    """An arrow to a box of the same column, round those between.

    Parameters
    ----------
    passing
        Of the arrows that do so, from 0: the next ones lie further out.
    """
    bend = end.right + _BEND * (passing + 1) / (1 + passing / _NARROWER)
    _arrow(
        axes,
        [
            (start.right, start.middle),
            (bend, start.middle),
            (bend, end.middle),
            (end.right, end.middle),
        ],
    )


def _arrow(axes: Axes, points: Sequence[tuple[float, float]]) -> None:
    """A line through points, with a head at its end."""
    axes.plot(*zip(*points[:-1], strict=True), color=QUIET, lw=1.2, zorder=2)
    axes.add_patch(
        FancyArrowPatch(
            points[-2],
            points[-1],
            arrowstyle="-|>,head_length=5,head_width=2.6",
            color=QUIET,
            lw=1.2,
            shrinkA=0,
            shrinkB=0,
            zorder=2,
        )
    )
