"""The one look of all figures: light, colour-blind safe, legible in print and in grey."""

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from landslip.io.files import atomic_path
from landslip.models.names import ENSEMBLE
from landslip.report.plots import Axes, Figure, FigureCanvasAgg, rc_context, rcParamsDefault

PAGE_WIDTH = 9.8  # inches; the page shows a figure at 100 pixels an inch
DPI = 144

INK = "#222222"
QUIET = "#6b6b6b"
FAINT = "#d9d9d9"
# Okabe and Ito (2008), without black, which is the ensemble's, and yellow, too light for lines.
BLUE, VERMILION, GREEN, ORANGE, SKY, PURPLE = (
    "#0072B2",
    "#D55E00",
    "#009E73",
    "#E69F00",
    "#56B4E9",
    "#CC79A7",
)
COLOURS = (BLUE, VERMILION, GREEN, ORANGE, SKY, PURPLE)
DASHES: tuple[str | tuple[int, tuple[int, ...]], ...] = ("-", (0, (5, 2)), (0, (1, 1)))

_STYLE: dict[Any, Any] = {
    "text.parse_math": False,  # names are shown as they are: no markup in them
    "figure.facecolor": "white",
    "figure.constrained_layout.use": True,
    "savefig.dpi": DPI,
    "font.family": "DejaVu Sans",  # comes with matplotlib: the same on every machine
    "font.size": 9.5,
    "axes.titlesize": 10.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": 9.5,
    "axes.edgecolor": QUIET,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": FAINT,
    "grid.linewidth": 0.6,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.labelsize": 8.5,
    "ytick.labelsize": 8.5,
    "text.color": INK,
    "legend.fontsize": 8.5,
    "legend.frameon": False,
    "lines.linewidth": 1.5,
}

# Those of a user's matplotlibrc must not show, nor those of the program that calls this one.
_DEFAULTS: dict[Any, Any] = {
    key: value for key, value in rcParamsDefault.items() if not key.startswith("backend")
}


def lines_of(members: Sequence[str]) -> dict[str, dict[str, Any]]:
    """How the curves of the ensemble and of each member are drawn: no two alike, in every figure.

    Returns
    -------
    dict
        Name -> keywords of Matplotlib's `plot`, which tell curves apart without colour too.
    """
    drawn = {
        name: {
            "color": COLOURS[index % len(COLOURS)],
            "linestyle": DASHES[(index // len(COLOURS)) % len(DASHES)],
            "linewidth": 1.1,
        }
        for index, name in enumerate(members)
    }
    return {ENSEMBLE: {"color": INK, "linestyle": "-", "linewidth": 2.6, "zorder": 3}} | drawn


@contextmanager
def drawing(target: Path, *, height: float, width: float = PAGE_WIDTH) -> Iterator[Figure]:
    """Give a figure that is written to `target` (PNG) when the block ends.

    Parameters
    ----------
    target
        PNG file to write.
    height, width
        Inches.
    """
    with rc_context({**_DEFAULTS, **_STYLE}):
        figure = Figure(figsize=(width, height))
        FigureCanvasAgg(figure)
        yield figure
        with atomic_path(target) as temporary, warnings.catch_warnings():
            # a name in a script that the font lacks is drawn as boxes
            warnings.filterwarnings("ignore", "Glyph .* missing from")
            figure.savefig(temporary, format="png")


def picture_axes(axes: Axes) -> None:
    """Strip an axes that shows an image of its grid, ticks and frame."""
    axes.grid(False)
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_visible(False)


def draw_placeholder(axes: Axes, sentence: str) -> None:
    """Write a sentence in place of a figure that has nothing to show."""
    picture_axes(axes)
    axes.text(
        0.5,
        0.5,
        sentence,
        transform=axes.transAxes,
        ha="center",
        va="center",
        color=QUIET,
        wrap=True,
    )
