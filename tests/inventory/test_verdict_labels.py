"""A reviewer's verdicts on zones become labels of windows, counted where they are not used."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from inventory.inventories import write_inventory
from inventory.made_scenes import CELLS, ORDER, SIZE, Looked, list_windows, write_zones

from landslip.inventory.negatives import Negatives
from landslip.inventory.scenes import Judged
from landslip.inventory.verdicts import NONE, apply_verdicts, one_verdict_each, verdict_windows
from landslip.inventory.windows import read_scene_record, window_bounds
from landslip.io.files import InputError, read_parquet


def test_a_zones_window_is_the_patch_that_gave_it_its_score(scenes: list[Looked], tmp_path: Path):
    record = read_scene_record(scenes[1].record)
    peaks = [(0, 0), (4, 7), (9, 11), (7, 2)]
    path = write_zones(tmp_path / "zones.gpkg", record, peaks, ["yes", "no", "1", "unsure"])
    records = {"one": read_scene_record(scenes[0].record), "two": record}
    windows, notes = verdict_windows(path, records)
    assert windows["scene"].eq("two").all()
    assert windows["verdict"].tolist() == [1, 0, 1]
    assert windows["zone"].tolist() == [1, 2, 3]
    rows, columns = np.array(peaks[:3]).T
    assert windows["row"].tolist() == CELLS.first_rows(rows).tolist()
    assert windows["column"].tolist() == CELLS.first_columns(columns).tolist()
    assert "2 zones judged to hold a landslide, 1 to hold none, 1 unsure and 0 without" in notes[0]


def test_verdicts_that_contradict_one_another_on_a_window_are_left_out_and_counted():
    place = {"scene": "a", "row": [0, 0, 32, 32, 64], "column": 0}
    windows = pd.DataFrame({**place, "verdict": [1, 0, 1, 1, 0], "zone": range(5)})
    kept, notes = one_verdict_each(windows)
    assert kept["zone"].tolist() == [2, 4]
    assert notes == ["2 verdicts contradict another on the same window and are left out"]


@given(st.integers(0, 1000))
@settings(max_examples=60)
def test_verdicts_rule_where_they_are_and_leave_nothing_doubtful_beside_them(seed: int):
    rng = np.random.default_rng(seed)
    down, across = (axis.ravel() * 10.0 for axis in np.indices((6, 6)))
    # Windows of a grid that do not overlap, and judged ones anywhere.
    x = np.concatenate([across, rng.integers(0, 50, 5).astype(float)])
    y = np.concatenate([down, rng.integers(0, 50, 5).astype(float)])
    bounds = np.column_stack([x, y, x + 10, y + 10])
    label = rng.choice(np.array([-1, 0, 0, 0, 1], np.int8), len(x))
    verdict = np.concatenate([np.full(36, NONE), rng.integers(0, 2, 5)]).astype(np.int8)
    found, notes = apply_verdicts(label, verdict, bounds)
    judged = verdict != NONE
    assert (found[judged & (verdict == 1)] == 1).all()
    no = judged & (verdict == 0)
    assert (found[no] == np.where(label[no] == 0, 0, -1)).all()
    kept = np.flatnonzero(judged & (found != -1))
    for at in range(36):
        near = (abs(x[kept] - x[at]) < 10) & (abs(y[kept] - y[at]) < 10)
        middle = (abs(x[kept] - x[at]) <= 5) & (abs(y[kept] - y[at]) <= 5)
        doubtful = label[at] == 0 and (near & (verdict[kept] == 1)).any()
        assert found[at] == (-1 if middle.any() or doubtful else label[at])
    denied = int((no & (label == 1)).sum())
    assert denied == 0 or f"{denied} zones were judged to hold no landslide" in notes[1]


def test_judged_windows_are_all_taken_and_overlap_no_window_of_another_label(
    scenes: list[Looked], tmp_path: Path
):
    record = read_scene_record(scenes[0].record)
    peaks = [(1, 1), (3, 8), (6, 4), (9, 9), (5, 10)]
    verdicts = ["yes", "no", "no", "yes", "no"]
    path = write_zones(tmp_path / "zones.gpkg", record, peaks, verdicts)
    judged = Judged(zones=[path], channels=ORDER, least_data=0.1)
    listing, notes = list_windows(tmp_path, scenes, judged=judged)
    assert listing["id"].is_unique
    windows, _ = verdict_windows(path, {"Simulated_scene": record})
    own = windows.merge(listing, on=["scene", "row", "column"])
    assert len(own) >= 2 and (own["label"] == own["verdict"]).all()
    assert (own["inclusion"] == 1).all()
    assert own["stratum"].isin(["verdict", "landslide"]).all()
    first = listing[listing["scene"] == "Simulated_scene"]
    bounds = window_bounds(
        record.reading.grid, first["row"].to_numpy(), first["column"].to_numpy(), SIZE
    )
    for at in np.flatnonzero(first["stratum"].eq("landslide") | first["stratum"].eq("verdict")):
        shared = (abs(bounds - bounds[at]) < 10 * SIZE - 1)[:, :2].all(axis=1)
        assert first["group"][shared].nunique() == 1
    assert any("2 zones judged to hold a landslide, 3 to hold none" in note for note in notes)
    assert any("by a reviewer's verdict" in note for note in notes)


def test_windows_without_a_landslide_keep_their_distance_from_those_judged_to_show_one(
    scenes: list[Looked], tmp_path: Path
):
    record = read_scene_record(scenes[0].record)
    path = write_zones(tmp_path / "zones.gpkg", record, [(5, 5), (1, 9)], ["yes", "no"])
    judged = Judged(zones=[path], channels=ORDER, least_data=0.1)
    # The inventory's landslide lies in the second scene.
    far = shapely.Point(record.reading.grid.left + 20_500, record.reading.grid.top - 500)
    listing, _ = list_windows(
        tmp_path, scenes, judged=judged, negatives=Negatives(share=1.0, min_distance=400),
        inventories=[write_inventory(tmp_path / "far.gpkg", [far])],
    )  # fmt: skip
    own = listing[listing["scene"] == "Simulated_scene"]
    (yes,) = own[own["label"] == 1].itertuples()
    drawn = own[(own["label"] == 0) & (own["stratum"] != "verdict")]
    assert len(drawn)
    gaps = drawn[["x", "y"]].sub([yes.x, yes.y]).abs().sub(10 * SIZE).clip(lower=0)
    assert np.hypot(gaps["x"], gaps["y"]).min() >= 400


def test_a_verdict_against_the_inventory_is_reported_by_count_and_left_out(
    scenes: list[Looked], tmp_path: Path
):
    listing, _ = list_windows(tmp_path, scenes[:1])
    slide = listing[listing["label"] == 1].sort_values("area").iloc[-1]
    # The cell whose patch covers most of that window.
    peak = (int(slide["row"]) // (SIZE // 2), int(slide["column"]) // (SIZE // 2))
    record = read_scene_record(scenes[0].record)
    path = write_zones(tmp_path / "zones.gpkg", record, [peak], ["no"])
    windows, _ = verdict_windows(path, {"a": record})
    judged = Judged(zones=[path], channels=ORDER, least_data=0.1)
    after, notes = list_windows(tmp_path, scenes[:1], judged=judged)
    place = (after["row"] == windows["row"][0]) & (after["column"] == windows["column"][0])
    assert not place.any() or (after["label"][place] == 1).all()
    assert any("1 zones were judged to hold no landslide where the inventory" in n for n in notes)


def test_judged_zones_without_enough_data_are_left_out_and_counted(
    scenes: list[Looked], tmp_path: Path
):
    record = read_scene_record(scenes[0].record)
    path = write_zones(tmp_path / "zones.gpkg", record, [(1, 1), (4, 4)], ["yes", "no"])
    judged = Judged(zones=[path], channels=ORDER, least_data=1.1)
    listing, notes = list_windows(tmp_path, scenes, judged=judged)
    assert "scene Simulated_scene: 2 judged zones lack data" in notes
    plain, _ = list_windows(tmp_path, scenes)
    pd.testing.assert_frame_equal(listing, plain)


def test_zones_of_no_scene_of_several_or_of_a_test_scene_are_refused(
    scenes: list[Looked], tmp_path: Path
):
    record = read_scene_record(scenes[0].record)
    path = write_zones(tmp_path / "zones.gpkg", record, [(1, 1)], ["yes"])
    judged = Judged(zones=[path], channels=ORDER, least_data=0.1)
    with pytest.raises(InputError, match=r"zones\.gpkg .*are of none of the scenes Simulated"):
        list_windows(tmp_path, scenes[1:], judged=judged)
    with pytest.raises(InputError, match="zones of the test scene Simulated_scene_2 were judged"):
        list_windows(tmp_path, scenes[1:], scenes[:1], judged=judged)
    with pytest.raises(InputError, match="may be of the scenes one, two; give scenes"):
        verdict_windows(path, {"one": record, "two": record})
    assert "verdict" not in read_parquet(scenes[0].table)
