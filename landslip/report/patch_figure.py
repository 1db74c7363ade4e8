"""Sample patches in all channels, as strips of pictures with their scales."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from landslip.data.store import read_ids, read_patches
from landslip.io.files import InputError, read_parquet
from landslip.report.composites import (
    Images,
    choose_composites,
    compose,
    limits,
    side_by_side,
)
from landslip.report.plots import Axes, Figure
from landslip.report.style import PAGE_WIDTH, QUIET, drawing, picture_axes
from landslip.report.wording import readable, shorten

SHOWN = 6
LABELS = {0: "not a landslide", 1: "landslide"}
_UNITS = {"db": "dB", "db_change": "dB", "reflectance_1e4": "× 10⁻⁴"}
_ONE_BLOCK = 9  # strips that fit one below the other on a page
_GAP = 0.2  # inches, between blocks
_HEADING = 0.22  # inches, above a strip
_WELL_INSIDE = 0.2
_IDS = 0.32  # inches, above a block
_LETTER = 0.06  # inches, of an id


class Samples(NamedTuple):
    """A few training patches."""

    ids: list[str]
    labels: NDArray[np.int8]
    """(n,), 0 or 1, landslides first."""
    patches: Images
    """(n, channel, row, column)."""


def draw_patches(
    *,
    store: Path,
    manifest: Path,
    modalities: Mapping[str, str],
    units: Mapping[str, str],
    seed: int,
    target: Path,
) -> None:
    """Draw a few training patches, half of them landslides, in every channel.

    Parameters
    ----------
    store
        store/train.h5.
    manifest
        manifest.parquet, for the labels.
    modalities
        Channel -> modality, in the order of the store.
    units
        Channel -> unit, for those that have one.
    seed
        Chooses the patches.
    target
        PNG file to write.

    Raises
    ------
    InputError
        A file is damaged.
    """
    samples = read_samples(store, manifest, list(modalities), seed)
    channels, patches = list(modalities), samples.patches
    composites = choose_composites(modalities)
    strips = len(composites) + len(channels)
    blocks = 1 if strips <= _ONE_BLOCK else 2
    lines = -(-strips // blocks)
    across = (PAGE_WIDTH - _GAP) / 2 if blocks == 2 else 6.8
    tall = across / len(patches) + _HEADING
    width = blocks * (across + _GAP) - _GAP
    height = _IDS + lines * tall
    with drawing(target, height=height, width=width) as figure:
        figure.set_layout_engine("none")
        for number in range(strips):
            block, line = divmod(number, lines)
            left = block * (across + _GAP)
            top = _IDS + line * tall
            if line == 0:
                _write_ids(figure, samples, left, across)
            box = (
                left / width,
                1 - (top + tall) / height,
                across / width,
                (tall - _HEADING) / height,
            )
            axes = figure.add_axes(box)
            if number < len(composites):
                composite = composites[number]
                axes.imshow(side_by_side(compose(patches, channels, composite)), aspect="auto")
                _head(axes, composite.title, composite.legend)
            else:
                name = channels[number - len(composites)]
                plane = patches[:, number - len(composites)]
                _draw_channel(axes, plane, name, _unit(units.get(name, "")))
            picture_axes(axes)


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
    return Samples([ids[row] for row in rows], labels[rows], patches)


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


def _write_ids(figure: Figure, samples: Samples, left: float, across: float) -> None:
    """Id and label over each column of a block; `left` and `across` in inches."""
    width, height = figure.get_size_inches()
    letters = int(across / len(samples.ids) / _LETTER)
    for index, (name, label) in enumerate(zip(samples.ids, samples.labels.tolist(), strict=True)):
        x = (left + (index + 0.5) * across / len(samples.ids)) / width
        y = 1 - 0.04 / height
        text = f"{shorten(name, letters)}\n"
        figure.text(x, y, text, ha="center", va="top", fontsize=7, family="monospace")
        weight = "bold" if label else "normal"
        figure.text(x, y, f"\n{LABELS[label]}", ha="center", va="top", fontsize=7, weight=weight)


def _draw_channel(axes: Axes, plane: Images, name: str, unit: str) -> None:
    """One channel of all patches on one scale: grey, or diverging where 0 lies well inside."""
    low, high = limits(plane)
    diverging = min(-low, high) > _WELL_INSIDE * max(-low, high)
    if diverging:
        high = max(-low, high)
        low = -high
    colours = "PuOr" if diverging else "gray"
    axes.imshow(
        side_by_side(plane),
        cmap=colours,
        vmin=low,
        vmax=high,
        aspect="auto",
        interpolation="nearest",
    )
    _head(axes, name, "")
    # A small ramp in the heading instead of a colour bar: width goes to the pictures.
    ramp = axes.inset_axes((0.72, 1.035, 0.12, 0.1))
    ramp.imshow(np.linspace(0, 1, 64)[np.newaxis], cmap=colours, aspect="auto")
    picture_axes(ramp)
    look: dict[str, Any] = {
        "transform": axes.transAxes,
        "fontsize": 7,
        "va": "bottom",
        "color": QUIET,
    }
    axes.text(0.71, 1.02, _number(low), ha="right", **look)
    axes.text(0.85, 1.02, f"{_number(high)} {unit}", ha="left", **look)


def _head(axes: Axes, name: str, text: str) -> None:
    axes.text(0, 1.02, name, transform=axes.transAxes, fontsize=8, weight="bold", va="bottom")
    axes.text(
        1, 1.02, text, transform=axes.transAxes, fontsize=7, ha="right", va="bottom", color=QUIET
    )


def _unit(name: str) -> str:
    return _UNITS.get(name, readable(name))


def _number(value: float) -> str:
    """Three digits at most, with a true minus sign."""
    text = f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return text.replace("-", "−")
