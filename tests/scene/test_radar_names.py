"""What names of radar products say."""

import datetime
from pathlib import Path

import pytest

from landslip.scene.names import orbit_by_hour, read_radar_name, sibling, solar_hour


def test_a_hyp3_name_says_unit_radiometry_and_spacing() -> None:
    name = read_radar_name("x/S1A_IW_20180128T161201_DVP_RTC30_G_gpuned_FD6A_VV.tif")
    assert (name.product, name.layer, name.platform) == ("hyp3", "VV", "S1A")
    assert (name.unit, name.radiometry, name.spacing) == ("power", "gamma0", 30)
    assert name.start == datetime.datetime(2018, 1, 28, 16, 12, 1)
    decibels = read_radar_name("S1B_IW_20180128T161201_DVP_RTC10_G_sdufem_FD6A_VH.tif")
    assert (decibels.unit, decibels.radiometry, decibels.spacing) == ("db", "sigma0", 10)


def test_an_opera_name_says_its_track() -> None:
    name = read_radar_name(
        "OPERA_L2_RTC-S1_T115-245714-IW1_20240102T135100Z_20240103T010203Z_S1A_30_v1.0_VV.tif"
    )
    assert (name.product, name.relative_orbit, name.unit) == ("opera", 115, "power")


@pytest.mark.parametrize(
    ("name", "layer"), [("scene_vv_2024-01-02.tif", "VV"), ("S1A_20240102_VH.tif", "VH")]
)
def test_other_names_may_say_polarisation_and_day(name: str, layer: str) -> None:
    found = read_radar_name(name)
    assert (found.product, found.layer, found.timed) == ("other", layer, False)
    assert found.start == datetime.datetime(2024, 1, 2)


def test_a_name_with_several_days_says_none_of_them() -> None:
    assert read_radar_name("export_20240901_S1A_20240612_VV.tif").start is None
    assert read_radar_name("S1A_20240612T051630_20240612T051655_VV.tif").timed


def test_a_ground_range_product_is_known_by_its_name() -> None:
    name = "S1A_IW_GRDH_1SDV_20240102T135100_20240102T135125_051888_064452_AB12.SAFE"
    assert read_radar_name(name).product == "grd"


def test_the_other_polarisation_has_the_same_name_but_for_its_letters() -> None:
    assert sibling("a/x_VV_VV.tif", "VH") == Path("a/x_VV_VH.tif")
    assert sibling("x_vv.tif", "VH") == Path("x_vh.tif")
    assert sibling("x_VV.tif", "ls_map") == Path("x_ls_map.tif")


@pytest.mark.parametrize(
    ("utc", "longitude", "orbit"),
    [
        ("2024-06-01T05:16:30", 13.7, "descending"),
        ("2024-06-01T16:58:40", 13.7, "ascending"),
        ("2024-06-01T21:40:00", 140.0, "descending"),
        ("2024-06-01T23:55:00", -77.0, "ascending"),
    ],
)
def test_the_orbit_follows_from_the_local_solar_time(
    utc: str, longitude: float, orbit: str
) -> None:
    time = datetime.datetime.fromisoformat(utc)
    assert orbit_by_hour(solar_hour(time, longitude)) == orbit
