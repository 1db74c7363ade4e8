"""Chooses patches among labelled windows: what folds can keep apart, drawn by the design."""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from pyproj import Transformer

from landslip.inventory.blocks import (
    Polygons,
    block_names,
    common_crs,
    crossing_windows,
    groups_without_overlap,
    polygons_of,
    share_ground,
)
from landslip.inventory.negatives import Negatives, draw_negatives
from landslip.inventory.scenes import TrainingScene
from landslip.inventory.verdicts import STRATUM
from landslip.io.files import InputError

LANDSLIDE = "landslide"
"""Stratum of the windows that are one; all are taken."""

_KEYS = {"train": "data.scenes", "test": "data.test.scenes"}
# Windows overlap where their middles are nearer than a side; turned ones have a little more.
_REACH = 1.5

Windows = NDArray[np.float64] | Polygons
Mask = NDArray[np.bool_]


def choose_patches(
    table: pd.DataFrame,
    scenes: Sequence[TrainingScene],
    names: Sequence[str],
    *,
    negatives: Negatives,
    seed: int,
    scheme: str,
    block_size: float,
    say: Callable[[str], None],
) -> pd.DataFrame:
    """The landslides, judged windows and a draw of the others, with the groups of folds.

    What overlaps across blocks, or training windows, is left out before the others are drawn: left
    out of what was drawn, it would take their weight with it.

    Parameters
    ----------
    table
        Windows of all scenes, numbered from 0: split, label (0 or 1), scene, x, y, row, column,
        stratum, and distance (m to the nearest landslide).
    scenes, names
        Those that they are of, by the names that `scene` has.
    negatives, seed
        How windows without a landslide are drawn.
    scheme
        What folds keep whole: blocks of ground, each scene, or all scenes of an event.
    block_size
        Side of blocks in metres.
    say
        Takes sentences on what was left out and drawn.

    Returns
    -------
    DataFrame
        The chosen rows without `distance`, with inclusion (probability) and group (str, null in
        test; folds keep it whole).

    Raises
    ------
    InputError
        A split has no window with or without a landslide.
    """
    windows, middles = _common_ground(table, scenes, names)
    if scheme == "blocks":
        whole = block_names(middles[:, 0], middles[:, 1], block_size)
    elif scheme == "event":
        days = [scene.record.reading.layers.event for scene in scenes]
        whole = table["scene"].map(dict(zip(names, days, strict=True))).to_numpy(str)
    else:
        whole = table["scene"].to_numpy(str)
    inclusion = np.full(len(table), np.nan)
    is_train = (table["split"] == "train").to_numpy()
    for number, split in enumerate(dict.fromkeys(scene.split for scene in scenes)):
        may = (table["split"] == split).to_numpy()
        slides = float((table["label"][may] == 1).mean()) if may.any() else 0.0
        if split == "test":
            may = _off_training(windows, may, is_train & np.isfinite(inclusion), say)
        elif scheme == "blocks":
            may = may & ~_crossing(table, windows, middles, may, block_size, say)
        rng = np.random.default_rng((seed, number))
        inclusion[may] = _drawn(table[may], split, slides, negatives, rng, say)
    chosen = np.isfinite(inclusion)
    train = is_train & chosen
    group = np.full(len(table), None, object)
    group[train] = groups_without_overlap(windows[train], whole[train])
    stratum = table["stratum"].where(table["label"] != 1, LANDSLIDE)
    table = table.assign(inclusion=inclusion, group=group, stratum=stratum)
    found: pd.DataFrame = table[chosen].drop(columns="distance").reset_index(drop=True)
    return found


def _crossing(
    table: pd.DataFrame,
    windows: Windows,
    middles: NDArray[np.float64],
    may: Mask,
    block_size: float,
    say: Callable[[str], None],
) -> Mask:
    """Windows (n,) to leave out so that none overlaps one of another block."""
    # Far from the borders of blocks nothing reaches across them.
    extent = windows if windows.ndim == 2 else shapely.bounds(windows)
    reach = _REACH * (extent[:, 2:] - extent[:, :2]).max(axis=0, initial=0)
    low, high = (np.floor((middles + side) / block_size) for side in (-reach, reach))
    near = may & (low != high).any(axis=1)
    slides = (table["label"] == 1).to_numpy()
    taken = slides | (table["stratum"] == STRATUM).to_numpy()
    crossing = np.zeros(len(table), np.bool_)
    blocks = block_names(middles[near, 0], middles[near, 1], block_size)
    crossing[near] = crossing_windows(windows[near], blocks, taken[near])
    if crossing.any():
        say(
            f"{int(crossing.sum()):,} training windows ({int((crossing & slides).sum()):,} of them "
            f"landslides) overlap others across the border of their block of {block_size:g} m and "
            "are left out"
        )
    return crossing


def _off_training(windows: Windows, test: Mask, train: Mask, say: Callable[[str], None]) -> Mask:
    """Test windows (n,) that share no ground with a chosen training window.

    Raises
    ------
    InputError
        There are none.
    """
    off = test.copy()
    own, others = polygons_of(windows[test]), polygons_of(windows[train])
    one, other = shapely.STRtree(others).query(own, predicate="intersects")
    one = one[share_ground(own[one], others[other])]
    off[np.flatnonzero(test)[one]] = False
    over = int((test & ~off).sum())
    if over and not off.any():
        raise InputError(
            f"all {over:,} windows of {_KEYS['test']} overlap training windows; name test scenes "
            "of other ground"
        )
    if over:
        say(f"{over:,} test windows overlap training windows and are left out")
    return off


def _drawn(
    table: pd.DataFrame,
    split: str,
    slides: float,
    design: Negatives,
    rng: np.random.Generator,
    say: Callable[[str], None],
) -> NDArray[np.float64]:
    """Inclusion probability (n,) of the chosen windows of a split, NaN of the others.

    Raises
    ------
    InputError
        There are none of the one or the other.
    """
    is_slide = (table["label"] == 1).to_numpy()
    positives, key = int(is_slide.sum()), _KEYS[split]
    if table.empty:
        raise InputError(
            f"all windows of {key} are ambiguous: each is touched by a landslide that makes it "
            "neither the one nor the other; set label.min_area or label.min_share lower, or see "
            "label.ambiguous and label.unknown_date"
        )
    if not positives:
        raise InputError(
            f"none of the {len(table):,} windows of {key} is a landslide by `label` (the largest "
            f"area of landslide in one is {table['area'].max():,.0f} m2); set label.min_area or "
            "label.min_share lower, or name scenes whose landslides were seen"
        )
    judged = (table["stratum"] == STRATUM).to_numpy()
    others = np.flatnonzero(~is_slide & ~judged)
    if not len(others):
        raise InputError(
            f"all {len(table):,} windows of {key} are landslides by `label`; set label.min_area or "
            "label.min_share higher, or name scenes with land that did not slide"
        )
    strata, metres = table["stratum"].to_numpy(str)[others], table["distance"].to_numpy()[others]
    draw = draw_negatives(strata, metres, positives, design, rng)
    inclusion = np.where(is_slide | judged, 1.0, np.nan)
    inclusion[others[draw.chosen]] = draw.inclusion
    drawn = len(draw.chosen)
    names, sizes = np.unique(strata[metres >= design.min_distance], return_counts=True)
    counts = ", ".join(
        f"{int((strata[draw.chosen] == name).sum()):,} of {size:,} {name}"
        for name, size in zip(names, sizes, strict=True)
    )
    near = len(others) - int(sizes.sum())
    say(
        f"{split}: {positives:,} landslides; {drawn:,} of {sizes.sum():,} windows without one were "
        f"drawn ({counts})"
        + (f"; {near:,} more lie nearer than negatives.min_distance to one" if near else "")
    )
    for text in draw.notes:
        say(f"{split}: {text}")
    say(
        f"{split}: {positives / np.isfinite(inclusion).sum():.1%} of the patches are landslides, "
        f"and {slides:.1%} of the windows that were seen; for maps of such land set "
        "predict.prevalence to the latter"
    )
    return inclusion


def _common_ground(
    table: pd.DataFrame, scenes: Sequence[TrainingScene], names: Sequence[str]
) -> tuple[Windows, NDArray[np.float64]]:
    """Windows, as rectangles or else polygons, and their middles (n, 2), in one system."""
    middles = table[["x", "y"]].to_numpy(np.float64)
    own = [np.flatnonzero(table["scene"] == name) for name in names]
    systems = {scene.crs for scene in scenes}
    if len(systems) == 1 and systems == {scene.grid_crs for scene in scenes}:
        bounds = np.empty((len(table), 4))
        for scene, at in zip(scenes, own, strict=True):
            bounds[at] = scene.bounds(table.iloc[at])
        return bounds, middles
    if len(systems) == 1:
        (target,) = systems
    else:
        target = common_crs([scene.record.reading.grid.centre() for scene in scenes])
    windows, moved = np.empty(len(table), object), np.empty((len(table), 2))
    for scene, at in zip(scenes, own, strict=True):
        windows[at] = scene.outlines(table.iloc[at], target)
        turn = Transformer.from_crs(scene.crs, target, always_xy=True)
        moved[at] = np.column_stack(turn.transform(*middles[at].T))
    return windows, moved
