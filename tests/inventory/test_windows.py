"""Windows of scenes as patches: what is read, listed, left out, stored and refused."""

import hashlib
import os
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import shapely
from damage import overwrite
from inventory.inventories import write_inventory
from inventory.made_scenes import (
    ORDER,
    SIDE,
    SIZE,
    Looked,
    list_windows,
    look,
    make_scene,
    write_zones,
)
from pyproj import Transformer

from landslip.data.nodata import NoData
from landslip.data.source import ReadPatch, read_unchanged
from landslip.data.store import read_patches
from landslip.inventory.labels import LabelRule
from landslip.inventory.negatives import HARD, Negatives
from landslip.inventory.reader import WindowReader, open_windows
from landslip.inventory.scenes import Judged
from landslip.inventory.windows import read_scene_record
from landslip.io.files import InputError, read_json, read_parquet, write_json, write_parquet
from landslip.scene.reader import open_scene
from stores import write_store


@pytest.fixture
def copy(scenes: list[Looked], tmp_path: Path) -> Looked:
    """The first scene, to be damaged, looked at in its own place."""
    shutil.copytree(scenes[0].scene.parent, tmp_path / "copy")
    return look(tmp_path / "copy" / "scene.yaml", tmp_path)


def read(reader: WindowReader, rows: pd.DataFrame) -> list[ReadPatch]:
    found = list(reader.read(rows, (SIZE, SIZE)))
    assert all(isinstance(each, ReadPatch) for each in found)
    return [each for each in found if isinstance(each, ReadPatch)]


def test_a_window_is_the_scenes_pixels_in_the_order_of_channels(
    scenes: list[Looked], tmp_path: Path
):
    listing, _ = list_windows(tmp_path, scenes)
    reader = open_windows([each.record for each in scenes], ORDER)
    found = read(reader, listing)
    assert len(found) == len(listing)
    for path, rows in listing.groupby("path"):
        with open_scene(reader.readings[str(path)]) as scene:
            places = [scene.channels.index(name) for name in ORDER]
            for number, row in rows.iterrows():
                pixels = scene.read(int(row["row"]), int(row["column"]), SIZE, SIZE).channels[
                    places
                ]
                patch = found[int(str(number))]
                np.testing.assert_array_equal(patch.pixels.transpose(2, 0, 1), pixels)
                assert patch.sha256 == hashlib.sha256(pixels.tobytes()).hexdigest()


def test_a_window_is_the_same_whatever_is_read_beside_it(scenes: list[Looked], tmp_path: Path):
    listing, _ = list_windows(tmp_path, scenes)
    reader = open_windows([each.record for each in scenes], ORDER)
    together = [each.sha256 for each in read(reader, listing)]
    order = np.random.default_rng(0).permutation(len(listing))[:12]
    mixed = [each.sha256 for each in read(reader, listing.iloc[order])]
    assert mixed == [together[number] for number in order]


def test_windows_with_too_little_data_in_a_channel_are_left_out_and_counted(
    scenes: list[Looked], tmp_path: Path
):
    record = read_scene_record(scenes[0].record)
    table = read_parquet(scenes[0].table)
    assert record.windows == (SIDE // SIZE) ** 2 > record.seen == len(table)
    with open_scene(record.reading) as scene:
        seen = [
            (row, column)
            for row in range(0, SIDE, SIZE)
            for column in range(0, SIDE, SIZE)
            if np.isfinite(scene.read(row, column, SIZE, SIZE).channels).mean((1, 2)).min() >= 0.8
        ]
    assert sorted(zip(table["row"], table["column"], strict=True)) == seen
    _, notes = list_windows(tmp_path, scenes)
    unseen = record.windows - record.seen
    assert any(f"{record.windows} windows, {unseen} left out for lack of data" in n for n in notes)


def test_a_listing_says_where_each_patch_lies_and_how_it_was_drawn(
    scenes: list[Looked], tmp_path: Path
):
    listing, notes = list_windows(tmp_path, scenes)
    assert listing["id"].is_unique
    # Both scenes have one name; the second gets a number.
    assert listing["scene"].unique().tolist() == ["Simulated_scene", "Simulated_scene_2"]
    slides = listing["label"] == 1
    assert (listing["inclusion"][slides] == 1).all()
    assert (listing["stratum"][slides] == "landslide").all()
    assert (listing["area"][slides] >= 2500).all() and (listing["area"][~slides] == 0).all()
    left = listing["crs"].eq("EPSG:32633").all() and listing["x"] - SIZE * 5
    top = listing["y"] + SIZE * 5
    assert ((left - 399960) % 20000 == listing["column"] * 10).all()
    assert (5200020 - top == listing["row"] * 10).all()
    blocks = np.floor(listing[["x", "y"]] / 960).astype(int).agg(tuple, axis=1)
    assert listing.groupby("group")["id"].count().sum() == len(listing)
    assert (blocks.groupby(listing["group"]).nunique() == 1).all()
    assert any("landslides; " in note and "were drawn" in note for note in notes)
    again, _ = list_windows(tmp_path, scenes)
    pd.testing.assert_frame_equal(again, listing)
    other, _ = list_windows(tmp_path, scenes, seed=43)
    assert set(other["id"]) != set(listing["id"])


def test_windows_that_overlap_across_blocks_are_left_out_and_counted(
    scenes: list[Looked], tmp_path: Path
):
    dense = look(scenes[0].scene, tmp_path, stride=SIZE // 2)
    listing, notes = list_windows(tmp_path, [dense], negatives=Negatives(share=1.0))
    assert any("overlap others across the border of their block" in note for note in notes)
    for one in listing.itertuples():
        near = (abs(listing["x"] - one.x) < 10 * SIZE) & (abs(listing["y"] - one.y) < 10 * SIZE)
        assert listing["group"][near].nunique() == 1


FEW = Negatives(per_positive=1, hard=0.5)


def weights(listing: pd.DataFrame) -> pd.Series:
    """Sum of 1 / inclusion in each stratum."""
    return (1 / listing["inclusion"]).groupby(listing["stratum"]).sum()


def test_weights_sum_to_all_windows_that_blocks_keep_apart(scenes: list[Looked], tmp_path: Path):
    """Whatever is drawn: what overlaps across blocks goes before."""
    dense = look(scenes[0].scene, tmp_path, stride=SIZE // 2)
    whole, notes = list_windows(tmp_path, [dense], negatives=Negatives(share=1.0))
    assert any("overlap others across the border of their block" in note for note in notes)
    for seed in range(3):
        listing, _ = list_windows(tmp_path, [dense], negatives=FEW, seed=seed)
        assert len(listing) < len(whole)
        pd.testing.assert_series_equal(weights(listing), weights(whole))


def test_landslides_stay_where_windows_without_one_overlap_them_across_a_border(
    scenes: list[Looked], tmp_path: Path
):
    dense = look(scenes[0].scene, tmp_path, stride=SIZE // 2)
    whole, _ = list_windows(tmp_path, [dense], scheme="scene")
    # A border through the middle of one.
    at = whole[whole["label"] == 1].iloc[0]
    side = (at["x"] + 80) / 500
    listing, _ = list_windows(tmp_path, [dense], block_size=side, negatives=Negatives(share=1.0))
    slides = whole[whole["label"] == 1]
    x, y = (slides[name].to_numpy() for name in ("x", "y"))
    blocks = np.floor(slides[["x", "y"]] / side).astype(int).agg(tuple, axis=1).to_numpy()
    near = (abs(x[:, None] - x) < 10 * SIZE) & (abs(y[:, None] - y) < 10 * SIZE)
    other = np.array([[one != two for two in blocks] for one in blocks])
    safe = slides["id"][~(near & other).any(axis=1)]
    assert len(safe) and set(safe) <= set(listing["id"])


def test_weights_of_test_windows_sum_to_all_that_lie_off_the_training(
    scenes: list[Looked], tmp_path: Path
):
    dense = look(scenes[0].scene, tmp_path, stride=SIZE // 2)
    one = {"inventories": [scenes[0].inventory], "scheme": "scene"}
    whole, _ = list_windows(tmp_path, [dense], negatives=Negatives(share=1.0), **one)
    half = replace(scenes[0], table=tmp_path / "half.parquet")
    windows = read_parquet(scenes[0].table)
    write_parquet(half.table, windows[windows["column"] < SIDE // 2])
    listing, _ = list_windows(tmp_path, [half], [dense], negatives=FEW, **one)
    train, test = (listing[listing["split"] == split] for split in ("train", "test"))
    away = np.ones(len(whole), np.bool_)
    for row in train.itertuples():
        away &= ~((abs(whole["x"] - row.x) < 10 * SIZE) & (abs(whole["y"] - row.y) < 10 * SIZE))
    assert 0 < away.sum() < len(away)
    pd.testing.assert_series_equal(weights(test), weights(whole[away]))


def test_a_test_on_nothing_but_the_trainings_ground_is_refused_with_its_number(
    scenes: list[Looked], tmp_path: Path
):
    with pytest.raises(InputError, match=r"all \d+ windows of data\.test\.scenes overlap training"):
        list_windows(
            tmp_path, scenes[:1], scenes[:1], scheme="scene", negatives=Negatives(share=1.0),
            inventories=[scenes[0].inventory],
        )  # fmt: skip


def test_landslides_where_no_window_was_seen_are_counted(scenes: list[Looked], tmp_path: Path):
    record = read_scene_record(scenes[0].record)
    grid, windows = record.reading.grid, read_parquet(scenes[0].table)
    seen = set(zip(windows["row"], windows["column"], strict=True))
    hidden = [
        (row, column)
        for row in range(0, SIDE, SIZE)
        for column in range(0, SIDE, SIZE)
        if (row, column) not in seen
    ]
    assert hidden
    spots = [
        shapely.Point(grid.left + 10 * (column + SIZE / 2), grid.top - 10 * (row + SIZE / 2))
        for row, column in hidden
    ]
    # On a landslide of another place nothing is said of this scene.
    far = shapely.Point(grid.left - 5000, grid.top)
    path = write_inventory(tmp_path / "hidden.gpkg", [*spots, far])
    _, notes = list_windows(tmp_path, scenes, inventories=[scenes[1].inventory, path])
    assert any(
        f"scene Simulated_scene: {len(spots)} of {len(spots)} landslides lie where no window was "
        "seen" in note for note in notes
    )  # fmt: skip
    with pytest.raises(InputError, match="name scenes whose landslides were seen"):
        list_windows(tmp_path, scenes[:1], inventories=[path])


def test_what_was_left_out_of_an_inventory_is_said_with_its_file(
    scenes: list[Looked], tmp_path: Path
):
    grid = read_scene_record(scenes[0].record).reading.grid
    spot = shapely.Point(grid.left + 500, grid.top - 500)
    path = write_inventory(tmp_path / "gaps.gpkg", [spot, None])
    _, notes = list_windows(tmp_path, scenes, inventories=[scenes[1].inventory, path])
    assert f"{path}: 1 of 2 features are empty and were left out (feature 2)" in notes


def test_a_design_that_the_land_cannot_give_is_said_with_both_numbers(
    scenes: list[Looked], tmp_path: Path
):
    many = Negatives(per_positive=1000, hard=1.0, min_distance=100)
    listing, notes = list_windows(tmp_path, scenes, negatives=many)
    slides = int((listing["label"] == 1).sum())
    there = len(listing) - slides
    asked = f"asks for {slides * 1000:,} windows without a landslide, and {there} may be drawn"
    assert any(asked in note for note in notes)
    hard = int(listing["stratum"].isin(HARD).sum())
    assert any(f"look like a landslide, and {hard} may be drawn" in note for note in notes)
    assert any("more lie nearer than negatives.min_distance" in note for note in notes)
    _, notes = list_windows(tmp_path, scenes)
    assert not any("negatives." in note for note in notes)


def test_scenes_of_one_event_are_one_group(scenes: list[Looked], tmp_path: Path):
    """Two tiles show one event, a third another."""
    record = read_json(scenes[1].record)
    record["reading"]["layers"]["event"] = "2021-08-14"
    record["reading"]["grid"]["left"] += 20_000
    third = replace(scenes[1], record=tmp_path / "third.json")
    write_json(third.record, record)
    three = [*scenes, third]
    inventories = [each.inventory for each in scenes]
    listing, _ = list_windows(tmp_path, three, scheme="event", inventories=inventories)
    of_scene = listing.groupby("scene")["group"].unique().map(list)
    event = read_scene_record(scenes[0].record).reading.layers.event
    assert of_scene.to_list() == [[event], [event], ["2021-08-14"]]
    listing, _ = list_windows(tmp_path, three, scheme="scene", inventories=inventories)
    assert (listing["group"] == listing["scene"]).all()


def test_test_windows_on_the_trainings_ground_are_left_out(scenes: list[Looked], tmp_path: Path):
    listing, notes = list_windows(tmp_path, scenes[:1], scenes, negatives=Negatives(share=1.0))
    test = listing[listing["split"] == "test"]
    assert test["group"].isna().all()
    train = set(zip(*(listing[listing["split"] == "train"][n] for n in ("x", "y")), strict=True))
    assert not train & set(zip(test["x"], test["y"], strict=True))
    assert len(test) and any("overlap training windows" in note for note in notes)


def test_the_store_holds_windows_with_their_holes_filled(scenes: list[Looked], tmp_path: Path):
    listing, _ = list_windows(tmp_path, scenes)
    reader = open_windows([each.record for each in scenes], ORDER)
    patches = read(reader, listing)
    store = write_store(
        listing.assign(sha256=[each.sha256 for each in patches]),
        channels=ORDER, indices={"ndvi": ("nir", "red")}, on_nonfinite="fill", workers=1,
        patches_per_shard=20, reader=reader, target=tmp_path / "train.h5",
        no_data=NoData([(-1e5, 1e5)] * len(ORDER), [[]] * len(ORDER)),
    )  # fmt: skip
    expected = np.stack([each.pixels.transpose(2, 0, 1) for each in patches])
    holes = np.isnan(expected)
    assert holes.any()
    medians = np.nanmedian(expected, axis=(2, 3), keepdims=True)
    stored = read_patches(store, channels=ORDER)
    np.testing.assert_array_equal(stored[~holes], expected[~holes])
    np.testing.assert_allclose(stored, np.where(holes, medians, expected), rtol=1e-6)


def test_a_touched_scene_is_the_same_and_a_changed_one_is_refused_by_name_and_count(
    copy: Looked, scenes: list[Looked]
):
    raster = next(copy.scene.parent.rglob("radar/*.tif"))
    os.utime(raster, (1, 1))
    open_windows([copy.record, scenes[1].record], ORDER)
    content = bytearray(raster.read_bytes())
    content[len(content) // 2] ^= 1
    raster.write_bytes(content)
    with pytest.raises(InputError, match=rf"1 of 2 scenes have changed.*{raster.name}"):
        open_windows([copy.record, scenes[1].record], ORDER)


def test_one_byte_changed_in_any_file_of_a_scene_is_refused_by_its_name(copy: Looked):
    """Its time of change kept: survey, manifest and store open the scenes so."""
    for path in map(Path, read_scene_record(copy.record).files):
        content = path.read_bytes()
        overwrite(path, content[:-1] + bytes([content[-1] ^ 1]))
        with pytest.raises(InputError, match=rf"1 of 1 scenes have changed.*{path.name}"):
            open_windows([copy.record], ORDER)
        overwrite(path, content)
    open_windows([copy.record], ORDER)


def test_verdicts_on_a_scene_that_changed_since_it_was_looked_at_are_refused(
    copy: Looked, tmp_path: Path
):
    record = read_scene_record(copy.record)
    path = write_zones(tmp_path / "zones.gpkg", record, [(1, 1)], ["yes"])
    judged = Judged(zones=[path], channels=ORDER, least_data=0.1)
    list_windows(tmp_path, [copy], judged=judged)
    raster = next(copy.scene.parent.rglob("radar/*.tif"))
    raster.write_bytes(raster.read_bytes() + b"\0")
    with pytest.raises(InputError, match=rf"1 of 1 scenes have changed.*{raster.name}"):
        list_windows(tmp_path, [copy], judged=judged)


def test_a_window_of_a_scene_that_changes_while_it_is_read_is_refused(copy: Looked, tmp_path: Path):
    listing, _ = list_windows(tmp_path, [copy])
    reader = open_windows([copy.record], ORDER)
    # Of the same files, only another processor computes other bits.
    first = listing.head(1).assign(sha256="0" * 64)
    (patch,) = read_unchanged(reader, first, (SIZE, SIZE))
    assert patch.shape == (SIZE, SIZE, len(ORDER))
    copy.scene.write_text(copy.scene.read_text() + "\n")
    with pytest.raises(InputError, match=r"row \d+, column \d+ of .*has changed.*scene\.yaml"):
        list(read_unchanged(reader, first, (SIZE, SIZE)))


def test_a_scene_without_a_channel_of_the_config_is_refused(scenes: list[Looked], tmp_path: Path):
    with pytest.raises(InputError, match="gives no swir"):
        look(scenes[0].scene, tmp_path, channels=[*ORDER, "swir"])


def test_a_scene_of_which_nothing_was_seen_is_refused(tmp_path: Path):
    scene = make_scene(tmp_path / "scene", 3, cloud=1.0)
    with pytest.raises(InputError, match=r"none of 36 windows has data in 80%"):
        look(scene, tmp_path)


def test_an_inventory_outside_of_all_scenes_is_refused(scenes: list[Looked], tmp_path: Path):
    far = write_inventory(tmp_path / "far.gpkg", [shapely.box(1e5, 1e5, 1.1e5, 1.1e5)])
    with pytest.raises(
        InputError, match=r"none of the 1 landslides of .*far\.gpkg touches a scene"
    ):
        list_windows(tmp_path, scenes, inventories=[scenes[0].inventory, far])


def test_a_scene_that_no_inventory_touches_is_named(scenes: list[Looked], tmp_path: Path):
    _, notes = list_windows(tmp_path, scenes)
    assert not any("no landslide of any inventory" in note for note in notes)
    _, notes = list_windows(tmp_path, scenes, inventories=[scenes[0].inventory])
    (said,) = (note for note in notes if "no landslide of any inventory" in note)
    assert said.startswith("scene Simulated_scene_2: ")


def test_a_scene_whose_windows_are_all_ambiguous_is_left_out_or_refused(
    scenes: list[Looked], tmp_path: Path
):
    grid = read_scene_record(scenes[1].record).reading.grid
    corners = 10.0 * SIZE * np.indices((SIDE // SIZE,) * 2).reshape(2, -1) + 50
    little = [
        shapely.box(grid.left + x, grid.top - y - 10, grid.left + x + 10, grid.top - y)
        for x, y in corners.T
    ]
    everywhere = write_inventory(tmp_path / "little.gpkg", little)
    listing, _ = list_windows(tmp_path, scenes, inventories=[scenes[0].inventory, everywhere])
    assert set(listing["scene"]) == {"Simulated_scene"}
    with pytest.raises(InputError, match=r"all windows of data\.scenes are ambiguous"):
        list_windows(tmp_path, scenes[1:], inventories=[everywhere])


@pytest.mark.parametrize(
    ("area", "message"),
    [
        (1e9, r"none of the \d+ windows of data.scenes is a landslide by `label` \(the largest"),
        (None, r"all \d+ windows of data.scenes are landslides by `label`"),
    ],
)
def test_rules_that_leave_one_class_are_refused_with_what_to_set(
    area: float | None, message: str, scenes: list[Looked], tmp_path: Path
):
    changes = {}
    if area is None:
        left, bottom = 399960, 5200020 - 10 * SIDE
        everywhere = shapely.box(left, bottom, left + 10 * SIDE, bottom + 10 * SIDE)
        changes["inventories"] = [write_inventory(tmp_path / "all.gpkg", [everywhere])]
    with pytest.raises(InputError, match=message):
        list_windows(tmp_path, scenes[:1], label=LabelRule(min_area=area or 2500), **changes)


def test_windows_of_two_utm_zones_on_one_ground_are_in_one_group_or_left_out(
    scenes: list[Looked], tmp_path: Path
):
    record = read_json(scenes[0].record)
    grid = record["reading"]["grid"]
    turn = Transformer.from_crs("EPSG:32633", "EPSG:32632", always_xy=True)
    left, top = turn.transform(grid["left"], grid["top"])
    record["reading"]["grid"] = {**grid, "crs": "EPSG:32632", "left": left, "top": top}
    moved = Looked(scenes[0].scene, tmp_path / "moved.json", scenes[0].table)
    write_json(moved.record, record)
    inventories = [scenes[0].inventory]
    listing, notes = list_windows(tmp_path, [scenes[0], moved], inventories=inventories)
    assert set(listing["crs"]) == {"EPSG:32633", "EPSG:32632"}
    assert any("overlap others across the border" in note for note in notes)
    half = SIZE * 5
    boxes = []
    for row in listing.itertuples():
        corners = [
            (row.x + a * half, row.y + b * half) for a, b in ((-1, -1), (-1, 1), (1, 1), (1, -1))
        ]
        back = Transformer.from_crs(row.crs, "EPSG:32633", always_xy=True)
        boxes.append(shapely.Polygon([back.transform(*corner) for corner in corners]))
    for one, two in shapely.STRtree(boxes).query(boxes, predicate="intersects").T:
        if boxes[one].intersection(boxes[two]).area > 1000:
            assert listing["group"][one] == listing["group"][two]
