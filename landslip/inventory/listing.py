"""The patches of a study from scenes: windows with their labels, drawn negatives and groups."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from pyproj import CRS, Transformer

from landslip.inventory.blocks import (
    Polygons,
    block_names,
    common_crs,
    crossing_windows,
    groups_without_overlap,
    overlapping_pairs,
)
from landslip.inventory.dates import ABSENT, Unknown, scene_days, slides_in_images
from landslip.inventory.labels import AMBIGUOUS, LabelRule, distance_to_slides, label_windows
from landslip.inventory.negatives import Negatives, draw_negatives
from landslip.inventory.reach import rectangle_in, refuse_elsewhere
from landslip.inventory.read import Inventory, read_inventory
from landslip.inventory.scenes import Judged, Scene, scene_names, with_judged
from landslip.inventory.verdicts import NONE, STRATUM, apply_verdicts
from landslip.inventory.windows import read_scene_record
from landslip.io.files import InputError, read_parquet, write_json, write_parquet

log = logging.getLogger(__name__)

# Metres around a scene in which landslides are looked for, at least.
_AROUND = 5000.0
LANDSLIDE = "landslide"
"""Stratum of the windows that are one; all are taken."""


@dataclass(frozen=True, kw_only=True)
class Rules:
    """How windows are labelled, drawn and grouped."""

    label: LabelRule
    date_column: str | None
    unknown_date: Unknown
    negatives: Negatives
    seed: int
    scheme: str
    """Of the folds: blocks or scene."""
    block_size: float
    """Metres."""


def write_window_listing(
    *,
    scenes: Mapping[str, Sequence[tuple[Path, Path]]],
    inventories: Sequence[Path],
    rules: Rules,
    judged: Judged | None = None,
    listing: Path,
    listing_summary: Path,
) -> None:
    """List the windows that are patches, as `landslip.data.inputs.write_listing` lists files.

    Parameters
    ----------
    scenes
        Split (train, test) -> record and table of each scene, as
        `landslip.inventory.windows.look_at_scene` writes them.
    inventories
        Files of landslides.
    rules
        How windows are labelled, drawn and grouped.
    judged
        Verdicts on maps, which add windows to those that the inventory labels.
    listing
        Parquet: id, split, label (Int8), path (of the scene file), group (str, null in test),
        scene (name), row, column, x, y (of the middle, in crs), crs, stratum, inclusion, area (m2
        of landslide).
    listing_summary
        JSON: shape of the patches, notes (sentences on what was done); strays, respelt: empty.

    Raises
    ------
    InputError
        An inventory cannot be used or lies outside of all scenes, the rules leave no window with
        or without a landslide, or zones are not of one training scene.
    """
    looked_at = [
        Scene(
            split=split,
            record=read_scene_record(record),
            windows=read_parquet(table).assign(verdict=NONE),
        )
        for split, files in scenes.items()
        for record, table in files
    ]
    names = scene_names([scene.record.name for scene in looked_at])
    slides = [read_inventory(path, date_column=rules.date_column) for path in inventories]
    notes = [note for inventory in slides for note in inventory.notes]
    extents = {
        name: (scene.record.reading.grid.bounds, scene.record.reading.grid.crs)
        for name, scene in zip(names, looked_at, strict=True)
    }
    touching = [
        refuse_elsewhere(inventory, extents, str(path))
        for inventory, path in zip(slides, inventories, strict=True)
    ]
    notes += _without_inventory(names, touching)
    if judged is not None and judged.zones:
        looked_at, said = with_judged(names, looked_at, judged)
        notes += said
    tables = []
    for name, scene in zip(names, looked_at, strict=True):
        table, said = _labelled(name, scene, slides, rules)
        tables.append(table)
        notes += [f"scene {name}: {text}" for text in scene.record.warnings] + said
    parts = []
    for number, split in enumerate(scenes):
        own = zip(looked_at, tables, strict=True)
        whole = pd.concat([table for scene, table in own if scene.split == split])
        chosen, said = _drawn(whole.reset_index(drop=True), split, rules, number)
        parts.append(chosen)
        notes += said
    table, said = _grouped(pd.concat(parts, ignore_index=True), looked_at, names, rules)
    notes += said
    for note in notes:
        log.info("%s", note)
    size = looked_at[0].record.size
    write_parquet(listing, table)
    nothing: dict[str, list[str]] = {"train": [], "test": []}
    write_json(
        listing_summary,
        {"strays": nothing, "respelt": nothing, "shape": [size, size], "notes": notes},
    )


def _without_inventory(names: Sequence[str], touching: Sequence[Mapping[str, int]]) -> list[str]:
    """What is to be said of scenes that no landslide touches: perhaps nobody looked for any."""
    bare = [name for name in names if not any(found[name] for found in touching)]
    for name in bare:
        log.warning("scene %s: no landslide of any inventory touches it", name)
    return [
        f"scene {name}: no landslide of any inventory touches it, so all of its windows count as "
        "windows without one; if its landslides were not mapped, leave the scene out"
        for name in bare
    ]


def _labelled(
    name: str, scene: Scene, inventories: Sequence[Inventory], rules: Rules
) -> tuple[pd.DataFrame, list[str]]:
    """The windows of a scene that are a landslide or none, and what is to be said of them."""
    crs = scene.crs
    outlines = scene.outlines(scene.windows, crs)
    around = max(rules.negatives.min_distance, _AROUND)
    here = [_near(inventory, outlines, crs, around) for inventory in inventories]
    slides = np.concatenate([each.geometries for each in here])
    dates = np.concatenate([each.dates for each in here])
    state, notes = slides_in_images(
        dates, scene_days(scene.record.reading.layers), rules.unknown_date, name
    )
    labels = label_windows(outlines, slides, rules.label, state)
    windows = scene.windows
    verdicts = windows["verdict"].to_numpy(np.int8)
    own = labels.label[verdicts == NONE]
    record = scene.record
    notes.append(
        f"scene {name}: {record.windows:,} windows, {record.windows - record.seen:,} left out for "
        f"lack of data, {int((own == AMBIGUOUS).sum()):,} as ambiguous; "
        f"{int((own == 1).sum()):,} are landslides, {int((own == 0).sum()):,} are not"
    )
    label = labels.label
    if (verdicts != NONE).any():
        label, said = apply_verdicts(label, verdicts, outlines)
        notes += [f"scene {name}: {text}" for text in said]
    x, y = scene.middles.T
    table = pd.DataFrame(
        {
            "id": [
                f"{name}_{r}_{c}" for r, c in zip(windows["row"], windows["column"], strict=True)
            ],
            "split": scene.split,
            "label": pd.Series(label, dtype="Int8"),
            "path": scene.record.path,
            "scene": name,
            "row": windows["row"],
            "column": windows["column"],
            "x": x,
            "y": y,
            "crs": crs.to_string() if crs.to_authority() else crs.to_wkt(),
            "stratum": windows["stratum"],
            "area": labels.area,
            "distance": distance_to_slides(outlines, slides[state != ABSENT]),
        }
    )
    return table[table["label"] != AMBIGUOUS], notes


def _near(inventory: Inventory, outlines: Polygons, crs: CRS, around: float) -> Inventory:
    """The landslides within some metres of a scene's windows, in the scene's system.

    Others are not brought there: a system of metres has no place for what lies far away.
    """
    left, bottom, right, top = shapely.total_bounds(outlines).tolist()
    wide = (left - around, bottom - around, right + around, top + around)
    rectangle = rectangle_in(wide, crs, inventory.crs)
    near = shapely.intersects(inventory.geometries, rectangle)
    return replace(
        inventory, geometries=inventory.geometries[near], dates=inventory.dates[near]
    ).to(crs)


def _drawn(
    table: pd.DataFrame, split: str, rules: Rules, number: int
) -> tuple[pd.DataFrame, list[str]]:
    """The landslides of a split and the windows drawn beside them, in the order of scenes.

    Raises
    ------
    InputError
        There are none of the one or the other.
    """
    is_slide = (table["label"] == 1).to_numpy()
    positives = int(is_slide.sum())
    key = "data.scenes" if split == "train" else "data.test.scenes"
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
            "label.min_share lower, or name scenes with landslides"
        )
    judged = (table["stratum"] == STRATUM).to_numpy()
    others = np.flatnonzero(~is_slide & ~judged)
    if not len(others):
        raise InputError(
            f"all {len(table):,} windows of {key} are landslides by `label`; set label.min_area or "
            "label.min_share higher, or name scenes with land that did not slide"
        )
    draw = draw_negatives(
        table["stratum"].to_numpy(str)[others],
        table["distance"].to_numpy()[others],
        positives,
        rules.negatives,
        np.random.default_rng((rules.seed, number)),
    )
    inclusion = np.where(is_slide | judged, 1.0, np.nan)
    inclusion[others[draw.chosen]] = draw.inclusion
    table = table.assign(
        inclusion=inclusion, stratum=table["stratum"].where(~is_slide, LANDSLIDE)
    ).drop(columns="distance")
    strata = table.iloc[others].groupby("stratum")["inclusion"].agg(["size", "count"])
    counts = ", ".join(
        f"{row['count']:,} of {row['size']:,} {name}" for name, row in strata.iterrows()
    )
    drawn = len(draw.chosen)
    return table[np.isfinite(inclusion)], [
        f"{split}: {positives:,} landslides; {drawn:,} of {len(others):,} windows without one were "
        f"drawn ({counts}). {positives / (positives + drawn):.1%} of the patches are landslides, "
        f"and {positives / len(table):.1%} of the windows that were seen, which predict.prevalence "
        "tells a map of such land"
    ]


def _grouped(
    table: pd.DataFrame, scenes: Sequence[Scene], names: Sequence[str], rules: Rules
) -> tuple[pd.DataFrame, list[str]]:
    """The table with groups of training windows that folds keep together, without what crosses."""
    windows, middles = _common_ground(table, scenes, names)
    train = (table["split"] == "train").to_numpy()
    notes = []
    if rules.scheme == "blocks":
        blocks = block_names(middles[:, 0], middles[:, 1], rules.block_size)
        crossing = np.zeros(len(table), np.bool_)
        crossing[train] = crossing_windows(windows[train], blocks[train])
        if crossing.any():
            notes.append(
                f"{int(crossing.sum()):,} training windows overlap others across the border of "
                f"their block of {rules.block_size:g} m and are left out"
            )
    else:
        blocks = table["scene"].to_numpy(str)
        crossing = np.zeros(len(table), np.bool_)
    leaking = _over_training(windows, train)
    if leaking.any():
        notes.append(
            f"{int(leaking.sum()):,} test windows overlap training windows and are left out"
        )
    kept = ~crossing & ~leaking
    group = np.full(len(table), None, object)
    group[train & kept] = groups_without_overlap(windows[train & kept], blocks[train & kept])
    table = table.assign(group=group)
    return table[kept].reset_index(drop=True), notes


def _common_ground(
    table: pd.DataFrame, scenes: Sequence[Scene], names: Sequence[str]
) -> tuple[NDArray[np.float64] | Polygons, NDArray[np.float64]]:
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


def _over_training(
    windows: NDArray[np.float64] | Polygons, train: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Test windows (n,) that share ground with a training window."""
    over = np.zeros(len(train), np.bool_)
    if not train.all():
        pairs = overlapping_pairs(windows)
        mixed = pairs[train[pairs[:, 0]] != train[pairs[:, 1]]].ravel()
        over[mixed[~train[mixed]]] = True
    return over
