"""Patches from scenes: windows with their labels, drawn negatives and groups."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from pyproj import CRS

from landslip.inventory.blocks import Polygons
from landslip.inventory.choose import choose_patches
from landslip.inventory.dates import ABSENT, Unknown, scene_days, slides_in_images
from landslip.inventory.labels import AMBIGUOUS, LabelRule, distance_to_slides, label_windows
from landslip.inventory.negatives import Negatives
from landslip.inventory.reach import rectangle_in, refuse_elsewhere
from landslip.inventory.read import Inventory, read_inventory
from landslip.inventory.scenes import Judged, TrainingScene, scene_names, with_judged
from landslip.inventory.verdicts import NONE, apply_verdicts
from landslip.inventory.windows import read_scene_record
from landslip.io.files import read_parquet, write_json, write_parquet

log = logging.getLogger(__name__)

# Metres around a scene in which landslides are looked for, at least.
_AROUND = 5000.0


@dataclass(frozen=True, kw_only=True)
class Rules:
    """How windows are labelled, drawn and grouped."""

    label: LabelRule
    layer: str | None
    """Of inventories with several layers."""
    date_column: str | None
    unknown_date: Unknown
    negatives: Negatives
    seed: int
    scheme: str
    """Of the folds: blocks, scene or event."""
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
        TrainingScene(
            split=split,
            record=read_scene_record(record),
            windows=read_parquet(table).assign(verdict=NONE),
        )
        for split, files in scenes.items()
        for record, table in files
    ]
    names = scene_names([scene.record.name for scene in looked_at])
    notes: list[str] = []

    def say(note: str) -> None:
        """At once, for what is refused later may follow from it."""
        log.info("%s", note)
        notes.append(note)

    slides = [_read(path, rules, say) for path in inventories]
    extents = {
        name: (scene.record.reading.grid.bounds, scene.record.reading.grid.crs)
        for name, scene in zip(names, looked_at, strict=True)
    }
    touching = [
        refuse_elsewhere(inventory, extents, str(path))
        for inventory, path in zip(slides, inventories, strict=True)
    ]
    _say_without_inventory(names, touching, say)
    if judged is not None and judged.zones:
        looked_at, sentences = with_judged(names, looked_at, judged)
        for note in sentences:
            say(note)
    tables = []
    for name, scene in zip(names, looked_at, strict=True):
        for text in scene.record.warnings:
            say(f"scene {name}: {text}")
        tables.append(_labelled(name, scene, slides, rules, say))
    table = choose_patches(
        pd.concat(tables, ignore_index=True), looked_at, names,
        negatives=rules.negatives, seed=rules.seed, scheme=rules.scheme,
        block_size=rules.block_size, say=say,
    )  # fmt: skip
    size = looked_at[0].record.size
    write_parquet(listing, table)
    nothing: dict[str, list[str]] = {"train": [], "test": []}
    write_json(
        listing_summary,
        {"strays": nothing, "respelt": nothing, "shape": [size, size], "notes": notes},
    )


def _read(path: Path, rules: Rules, say: Callable[[str], None]) -> Inventory:
    """An inventory, of which is said what was left out and repaired."""
    found = read_inventory(path, date_column=rules.date_column, layer=rules.layer)
    for note in found.notes:
        say(f"{path}: {note}")
    return found


def _say_without_inventory(
    names: Sequence[str], touching: Sequence[Mapping[str, int]], say: Callable[[str], None]
) -> None:
    """Which scenes no landslide touches: perhaps nobody looked for any."""
    for name in names:
        if not any(found[name] for found in touching):
            log.warning("scene %s: no landslide of any inventory touches it", name)
            say(
                f"scene {name}: no landslide of any inventory touches it, so all of its windows "
                "count as windows without one; if its landslides were not mapped, leave the scene "
                "out"
            )


def _labelled(
    name: str,
    scene: TrainingScene,
    inventories: Sequence[Inventory],
    rules: Rules,
    say: Callable[[str], None],
) -> pd.DataFrame:
    """The windows of a scene that are a landslide or none."""
    crs = scene.crs
    outlines = scene.outlines(scene.windows, crs)
    around = max(rules.negatives.min_distance, _AROUND)
    here = [_near(inventory, outlines, crs, around) for inventory in inventories]
    slides = np.concatenate([each.geometries for each in here])
    dates = np.concatenate([each.dates for each in here])
    state, notes = slides_in_images(
        dates, scene_days(scene.record.reading.layers), rules.unknown_date, name
    )
    for note in notes:
        say(note)
    _say_unseen(name, scene, outlines, slides[state != ABSENT], say)
    labels = label_windows(outlines, slides, rules.label, state)
    windows = scene.windows
    verdicts = windows["verdict"].to_numpy(np.int8)
    own = labels.label[verdicts == NONE]
    record = scene.record
    say(
        f"scene {name}: {record.windows:,} windows, {record.windows - record.seen:,} left out for "
        f"lack of data, {int((own == AMBIGUOUS).sum()):,} as ambiguous; "
        f"{int((own == 1).sum()):,} are landslides, {int((own == 0).sum()):,} are not"
    )
    label = labels.label
    if (verdicts != NONE).any():
        label, sentences = apply_verdicts(label, verdicts, outlines)
        for text in sentences:
            say(f"scene {name}: {text}")
    # What a reviewer found is a landslide that others keep their distance from too.
    found = outlines[(verdicts != NONE) & (label == 1)]
    known = np.concatenate([slides[state != ABSENT], found])
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
            "distance": distance_to_slides(outlines, known),
        }
    )
    return table[table["label"] != AMBIGUOUS]


def _say_unseen(
    name: str,
    scene: TrainingScene,
    outlines: Polygons,
    slides: NDArray[np.object_],
    say: Callable[[str], None],
) -> None:
    """How many landslides of a scene no window shows that was seen."""
    (whole,) = scene.whole(scene.crs)
    inside = slides[shapely.intersects(slides, whole)]
    seen = np.unique(shapely.STRtree(outlines).query(inside, predicate="intersects")[0])
    if len(seen) < len(inside):
        say(
            f"scene {name}: {len(inside) - len(seen):,} of {len(inside):,} landslides lie where no "
            "window was seen, under clouds, without data or beside the last whole window"
        )


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
