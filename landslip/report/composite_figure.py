"""Sample patches as a person sees them: in colour, and beside that as radar sees them."""

from collections.abc import Mapping
from pathlib import Path

from landslip.report.composites import Images, choose_composites, compose
from landslip.report.patch_figure import LABELS, read_samples
from landslip.report.plots import Figure
from landslip.report.style import PAGE_WIDTH, QUIET, drawing, picture_axes
from landslip.report.wording import shorten

_ACROSS = 3  # patches in a row
_GAP = 0.25  # inches between patches
_SPLIT = 0.04  # inches between the pictures of one patch
_IDS = 0.24  # inches above a patch, for its id and label
_LETTERS = 20  # of an id
_NAMES = 0.26  # inches below it, for what its pictures are
_LEGEND = 0.22  # inches below all, for what colours are
_MOST = 2.3  # inches, a picture


def draw_composites(
    *,
    store: Path,
    manifest: Path,
    modalities: Mapping[str, str],
    seed: int,
    target: Path,
) -> None:
    """Draw the sample patches of `draw_patches`, larger, as composites side by side.

    Parameters
    ----------
    store
        store/train.h5.
    manifest
        manifest.parquet, for the labels.
    modalities
        Channel -> modality, in the order of the store; `choose_composites` says which pictures
        they allow.
    seed
        Chooses the patches.
    target
        PNG file to write.

    Raises
    ------
    InputError
        A file is damaged.
    """
    channels = list(modalities)
    samples = read_samples(store, manifest, channels, seed)
    composites = choose_composites(modalities)
    pictures = [compose(samples.patches, channels, composite) for composite in composites]
    across = (PAGE_WIDTH - (_ACROSS - 1) * _GAP) / _ACROSS
    side = min(_MOST, (across - (len(composites) - 1) * _SPLIT) / len(composites))
    tall = _IDS + side + _NAMES
    rows = -(-len(samples.ids) // _ACROSS)
    legends = [f"{item.title}: {item.colours}" for item in composites if item.legend]
    with drawing(target, height=rows * tall + _LEGEND * len(legends)) as figure:
        figure.set_layout_engine("none")
        for index, legend in enumerate(legends):
            _write(figure, 0, rows * tall + index * _LEGEND, legend, colour=QUIET)
        for number, (name, label) in enumerate(
            zip(samples.ids, samples.labels.tolist(), strict=True)
        ):
            row, column = divmod(number, _ACROSS)
            left, top = column * (across + _GAP), row * tall
            _write(
                figure,
                left,
                top + 0.03,
                f"{shorten(name, _LETTERS)}   {LABELS[label]}",
                bold=bool(label),
            )
            for index, (composite, colours) in enumerate(zip(composites, pictures, strict=True)):
                x = left + index * (side + _SPLIT)
                _show(figure, colours[number], x, top + _IDS, side)
                below = top + _IDS + side + 0.02
                _write(figure, x, below, composite.title, size=7.5, colour=QUIET)


def _show(figure: Figure, picture: Images, x: float, y: float, side: float) -> None:
    """A picture (row, column, colour), `side` inches wide and high."""
    width, height = figure.get_size_inches()
    axes = figure.add_axes((x / width, 1 - (y + side) / height, side / width, side / height))
    axes.imshow(picture, aspect="auto", interpolation="nearest")
    picture_axes(axes)


def _write(
    figure: Figure,
    x: float,
    y: float,
    text: str,
    *,
    size: float = 8.5,
    bold: bool = False,
    colour: str | None = None,
) -> None:
    """Text at inches from the left and the top of the figure."""
    width, height = figure.get_size_inches()
    weight = "bold" if bold else "normal"
    figure.text(
        x / width, 1 - y / height, text, fontsize=size, va="top", weight=weight, color=colour
    )
