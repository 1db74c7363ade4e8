"""A slide counts only where a scene's images can show it."""

from pathlib import Path

import numpy as np
import pytest
import shapely
from inventory.inventories import write_inventory

from landslip.inventory.dates import (
    ABSENT,
    SHOWN,
    UNCERTAIN,
    SceneDays,
    as_days,
    scene_days,
    slides_in_images,
)
from landslip.inventory.read import read_inventory
from landslip.io.files import InputError
from landslip.scene.layers import Layer, Layers, Look, OpticalLayers

BAND = Layer(file="a.tif", unit="db")
DAYS = SceneDays(
    last_before=np.datetime64("2018-01-20"),
    first_after=np.datetime64("2018-02-01"),
    last_after=np.datetime64("2018-02-10"),
)


def look(day: str | None) -> Look:
    return Look(vv=BAND, vh=BAND, time=day)


def test_days_are_read_in_the_ways_that_they_are_written():
    values = np.array(
        ["2018-01-28", "2018/01/28", "20180128", "2018-01-28T10:00:00Z", 20180128.0], object
    )
    assert set(as_days(values, "a").tolist()) == {np.datetime64("2018-01-28").item()}
    assert as_days(np.array([20180128]), "a")[0] == np.datetime64("2018-01-28")
    unknown = np.array(["", None, float("nan"), "unknown", "N/A", " "], object)
    assert np.isnat(as_days(unknown, "a")).all()
    # The images' days are those of UTC.
    zones = ["2018-01-27T23:30-08:00", "2018-01-29T03:00+0530", "2018-01-28 10:00+00:00"]
    assert set(as_days(np.array(zones, object), "a").tolist()) == {
        np.datetime64("2018-01-28").item()
    }
    times = np.array(["2018-01-28T10:00", "NaT"], "datetime64[ms]")
    assert as_days(times, "a").dtype == "datetime64[D]"


def test_dates_that_do_not_parse_are_refused_with_their_number_and_the_first(tmp_path: Path):
    days = np.array(["2018-01-28", "28.01.2018", "2018-13-01", "soon", ""], object)
    path = write_inventory(tmp_path / "a.gpkg", [shapely.box(0, 0, 1, 1)] * 5, day=days)
    with pytest.raises(InputError, match=r"column day: 3 of 5.*'28.01.2018' \(feature 2\).*such"):
        read_inventory(path, date_column="day")
    with pytest.raises(InputError, match=r"1 of 3 values are no date: 'inf' \(feature 3\)"):
        as_days(np.array([20180128.0, np.nan, np.inf]), "a column")


def test_the_days_of_a_scene_are_those_of_all_its_images():
    radar = {
        "ascending": {"before": [look("2018-01-03"), look(None)], "after": [look("2018-02-01")]},
        "descending": {"before": [look("2018-01-20T06:00:00")], "after": [look("2018-02-04")]},
    }
    optical = OpticalLayers(bands={}, date="2018-02-10")
    assert scene_days(Layers(name="a", event="2018-01-28", radar=radar, optical=optical)) == DAYS
    alone = scene_days(Layers(name="a", event="2018-01-28", optical=optical))
    assert alone.last_before is None and alone.first_after == alone.last_after


def test_slides_later_than_the_images_are_absent_and_others_uncertain_with_counts():
    dates = np.array(
        ["2018-01-28", "2018-01-20", "2018-02-01", "2018-02-11", "2018-02-05", "2017-06-01"],
        "datetime64[D]",
    )
    state, notes = slides_in_images(dates, DAYS, "refuse", "north")
    assert state.tolist() == [SHOWN, SHOWN, SHOWN, ABSENT, UNCERTAIN, UNCERTAIN]
    assert len(notes) == 3 and all(note.startswith("scene north: 1 of 6") for note in notes)
    assert "later than the scene's last image (2018-02-10)" in notes[0]


def test_slides_of_an_unknown_day_follow_the_rule_and_are_counted():
    dates = np.array(["2018-01-28", "NaT", "NaT"], "datetime64[D]")
    with pytest.raises(InputError, match=r"2 of 3 landslides in scene north.*unknown_date: use"):
        slides_in_images(dates, DAYS, "refuse", "north")
    state, notes = slides_in_images(dates, DAYS, "use", "north")
    assert state.tolist() == [SHOWN, SHOWN, SHOWN] and "2 of 3" in notes[0]
    state, notes = slides_in_images(dates, DAYS, "drop", "north")
    assert state.tolist() == [SHOWN, UNCERTAIN, UNCERTAIN] and "left out" in notes[0]


def test_a_scene_that_does_not_say_its_days_shows_every_slide():
    nothing = SceneDays(last_before=None, first_after=None, last_after=None)
    dates = np.array(["1990-01-01", "2030-01-01"], "datetime64[D]")
    state, notes = slides_in_images(dates, nothing, "refuse", "north")
    assert state.tolist() == [SHOWN, SHOWN]
    (note,) = notes
    assert "2 of 2 landslides have a date, but the scene's images after the event have none" in note
