"""Sample patches: as composites in colour, and in every channel as strips of pictures."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from landslip.data.store import read_ids, read_patches
from landslip.io.files import InputError, read_parquet
from landslip.report.composites import Images, choose_composites, compose, limits, side_by_side
from landslip.report.plots import Axes
from landslip.report.style import PAGE_WIDTH, QUIET, drawing, picture_axes
from landslip.report.wording import readable, shorten

SHOWN = 6
LABELS = {0: "not a landslide", 1: "landslide"}
_ACROSS = 3  # patches in a row of composites
_UNITS = {"db": "dB", "db_change": "dB", "reflectance_1e4": "× 10⁻⁴"}
_ONE_BLOCK = 9  # strips that fit one below the other on a page
_WELL_INSIDE = 0.2
_LETTERS = {"composites": 20, "strips": 12}  # of an id


class Samples(NamedTuple):
    """A few training patches."""

    ids: list[str]
    labels: list[int]
    """(n,), 0 or 1, landslides first."""
    patches: Images
    """(n, channel, row, column)."""


def draw_composites(
    *, store: Path, manifest: Path, modalities: Mapping[str, str], seed: int, target: Path
) -> None:
    """Draw sample patches as a person sees them and, where there is radar, as radar does.

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
    channels, composites = list(modalities), choose_composites(modalities)
    samples = read_samples(store, manifest, channels, seed)
    pictures = [compose(samples.patches, channels, composite) for composite in composites]
    rows, across = -(-len(samples.ids) // _ACROSS), _ACROSS * len(composites)
    width = min(PAGE_WIDTH, 2.3 * across)
    with drawing(target, height=rows * (width / across + 0.5) + 0.3, width=width) as figure:
        cells = figure.subplots(rows, across, squeeze=False)
        for axes in cells.flat:
            picture_axes(axes)
        of_patch = cells.reshape(-1, len(composites))
        for number, (name, label) in enumerate(zip(samples.ids, samples.labels, strict=True)):
            for axes, composite, shown in zip(of_patch[number], composites, pictures, strict=True):
                axes.imshow(shown[number], interpolation="nearest")
                axes.set_xlabel(composite.title, loc="left", fontsize=7.5, color=QUIET)
            of_patch[number][0].set_title(
                f"{shorten(name, _LETTERS['composites'])}   {LABELS[label]}",
                fontsize=8.5,
                weight="bold" if label else "normal",
            )
        legends = [f"{item.title}: {item.colours}" for item in composites if item.legend]
        figure.supxlabel("\n".join(legends), x=0, ha="left", fontsize=8.5, color=QUIET)


def draw_patches(
    *,
    store: Path,
    manifest: Path,
    modalities: Mapping[str, str],
    units: Mapping[str, str],
    seed: int,
    target: Path,
) -> None:
    """Draw the same patches in every channel.

    Parameters
    ----------
    store, manifest, modalities, seed, target
        As in `draw_composites`.
    units
        Channel -> unit, for those that have one.

    Raises
    ------
    InputError
        A file is damaged.
    """
    channels, composites = list(modalities), choose_composites(modalities)
    samples = read_samples(store, manifest, channels, seed)
    strips = len(composites) + len(channels)
    blocks = 1 if strips <= _ONE_BLOCK else 2
    lines = -(-strips // blocks)
    width = PAGE_WIDTH if blocks == 2 else 0.7 * PAGE_WIDTH
    with drawing(target, height=lines * (width / blocks / SHOWN + 0.25) + 0.4, width=width) as made:
        columns = made.subplots(lines, blocks, squeeze=False)
        for axes in columns.flat:
            picture_axes(axes)
        places = iter(columns.T.flat)
        for composite in composites:
            picture = side_by_side(compose(samples.patches, channels, composite))
            _draw_strip(next(places), picture, composite.title, composite.legend)
        for number, name in enumerate(channels):
            _draw_channel(next(places), samples.patches[:, number], name, units.get(name, ""))
        for axes in columns[0]:
            _name_patches(axes, samples)


def read_samples(store: Path, manifest: Path, channels: list[str], seed: int) -> Samples:
    """The patches that figures show; the same for the same seed.

    Raises
    ------
    InputError
        A file is damaged.
    """
    ids = read_ids(store)
    labels = _labels(manifest, ids)
    rows = choose_samples(labels, SHOWN, seed)
    patches = read_patches(store, channels=channels, rows=rows)
    return Samples([ids[row] for row in rows], labels[rows].tolist(), patches)


def choose_samples(labels: NDArray[np.int8], n: int, seed: int) -> NDArray[np.int64]:
    """Rows of n patches, landslides first, as nearly half of them as there are.

    Parameters
    ----------
    labels : (patch,)
        0 or 1.
    n
        Patches wanted; fewer are given where there are fewer.
    seed
        Draws the patches.

    Returns
    -------
    (n,), ascending among the landslides and among the others
    """
    random = np.random.default_rng(seed)
    positive, negative = np.flatnonzero(labels == 1), np.flatnonzero(labels != 1)
    slides = min(len(positive), max(n // 2, n - len(negative)))
    others = min(len(negative), n - slides)
    chosen = [
        np.sort(random.choice(rows, size, replace=False))
        for rows, size in ((positive, slides), (negative, others))
    ]
    return np.concatenate(chosen).astype(np.int64)


def _labels(manifest: Path, ids: list[str]) -> NDArray[np.int8]:
    """Labels of the patches of a store, in its order."""
    listed = read_parquet(manifest, ["id", "split", "label"])
    label_of = listed[listed["split"] == "train"].set_index("id")["label"]
    missing = [name for name in ids if name not in label_of.index]
    if missing:
        raise InputError(
            f"{manifest} does not list {len(missing)} patches of the store (first: {missing[0]});"
            " run again"
        )
    return label_of.loc[ids].to_numpy(dtype=np.int8)


def _name_patches(axes: Axes, samples: Samples) -> None:
    """Id and label over each patch of a strip."""
    n, width = len(samples.ids), sum(axes.get_xlim())
    names = [
        f"{shorten(name, _LETTERS['strips'])}\n{LABELS[label]}"
        for name, label in zip(samples.ids, samples.labels, strict=True)
    ]
    axes.set_xticks((np.arange(n) + 0.5) * width / n, names, fontsize=6.5)
    axes.tick_params(labeltop=True, labelbottom=False, length=0)
    for text, label in zip(axes.get_xticklabels(), samples.labels, strict=True):
        text.set_fontweight("bold" if label else "normal")


def _draw_channel(axes: Axes, plane: Images, name: str, unit: str) -> None:
    """One channel of all patches on one scale: grey, or diverging where 0 lies well inside."""
    low, high = limits(plane)
    diverging = min(-low, high) > _WELL_INSIDE * max(-low, high)
    if diverging:
        low, high = -max(-low, high), max(-low, high)
    scale = f"{_number(low)} to {_number(high)} {_UNITS.get(unit, readable(unit))}"
    colours = "PuOr" if diverging else "gray"
    _draw_strip(axes, side_by_side(plane), name, scale, cmap=colours, vmin=low, vmax=high)


def _draw_strip(axes: Axes, picture: Images, name: str, text: str, **look: Any) -> None:
    axes.imshow(picture, interpolation="nearest", **look)
    axes.set_title(name, fontsize=8)
    axes.set_title(text, loc="right", fontsize=7, weight="normal", color=QUIET)


def _number(value: float) -> str:
    """Three digits at most, with a true minus sign."""
    text = f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return text.replace("-", "−")
