"""Pixels without data are found whatever value stands there, and what is merely odd stays data."""

import shutil

import numpy as np
import pytest

from landslip.data.nodata import (
    DATA,
    FAR,
    NONFINITE,
    SENTINEL,
    ZERO,
    NoData,
    find_no_data,
    zero_groups,
)
from landslip.data.store import read_patches
from landslip.io.files import file_digest
from small_competition import CHANNELS, UNITS, Competition, no_data
from stores import write_store

REFLECTANCE, DB, DEM = (0, 22000), (-70, 40), (-430, 8900)
OPTICAL = NoData([REFLECTANCE] * 4, [[]] * 4, [[0, 1, 2, 3]])


@pytest.mark.parametrize(
    ("plausible", "declared", "value", "code"),
    [
        (REFLECTANCE, [], -9999, SENTINEL),
        (REFLECTANCE, [], 9999, DATA),
        (REFLECTANCE, [], 32767, SENTINEL),
        (REFLECTANCE, [], 65535, SENTINEL),
        (REFLECTANCE, [], 64535, FAR),
        (REFLECTANCE, [], -800, DATA),
        (REFLECTANCE, [], -10000, SENTINEL),
        (REFLECTANCE, [], -1000, SENTINEL),
        (REFLECTANCE, [], -999, DATA),
        (DB, [], -999, SENTINEL),
        (REFLECTANCE, [], 24000, DATA),
        (DB, [], -9999, SENTINEL),
        (DB, [], 500, FAR),
        (DB, [], -3.4028234663852886e38, FAR),
        (DB, [], 1e20, SENTINEL),
        (DB, [], -75, DATA),
        (DB, [-75], -75, SENTINEL),
        (DB, [-50], -50, SENTINEL),
        (DEM, [], 0, DATA),
        (DEM, [], -32768, SENTINEL),
        (DEM, [], -999, SENTINEL),
        (DEM, [0], 0, SENTINEL),
        (DB, [], np.nan, NONFINITE),
        (DB, [], -np.inf, NONFINITE),
    ],
)
def test_a_value_is_data_or_not_by_its_unit(plausible, declared, value: float, code: int):
    bands = np.random.default_rng(0).uniform(*plausible, (2, 64)).astype(np.float32)
    bands[1, 7] = value
    codes = find_no_data(bands, NoData([plausible] * 2, [declared] * 2))
    expected = np.zeros((2, 64))
    expected[1, 7] = code
    np.testing.assert_array_equal(0 if codes is None else codes, expected)


def test_zeros_are_no_data_only_where_all_bands_are_zero_at_once():
    bands = np.full((4, 64), 1200, np.float32)
    bands[:, :5] = 0
    bands[:3, 5:9] = 0
    codes = find_no_data(bands, OPTICAL)
    assert codes is not None
    np.testing.assert_array_equal(codes[:, :5], ZERO)
    assert not codes[:, 5:].any()
    bands[3, 0] = 1
    bands[0, 1:5] = 900
    assert find_no_data(bands, OPTICAL) is None


def test_zero_groups_are_all_reflectance_and_the_polarisations_of_an_orbit():
    quantities = dict.fromkeys(["red", "green", "blue", "nir"], "reflectance")
    quantities |= {"asc_vv": "backscatter", "asc_vh": "backscatter", "asc_diff_vv": "change"}
    assert zero_groups(quantities) == [[0, 1, 2, 3], [4, 5]]
    # dark water may well be zero in both
    assert zero_groups({"red": "reflectance", "nir": "reflectance", "vv": "backscatter"}) == []


def spoil(competition: Competition) -> None:
    """Two sentinels in one patch, saturation in another, NaN beside a sentinel in a third."""
    for patch_id, channel, values in (
        ("ID_01", 1, [-9999, -9999]),
        ("ID_04", 0, [65535]),
        ("ID_T0", 2, [np.nan, -32768]),
    ):
        patch = np.load(competition.path(patch_id))
        patch[3, : len(values), channel] = values
        competition.write(patch_id, patch)


def test_a_single_sentinel_is_refused_with_its_value(competition: Competition):
    spoil(competition)
    message = competition.refusal()
    assert "3 patches hold NaN or infinity or values that mean no data" in message
    for words in (
        "ID_01 (train, vv: 2, as -9999)",
        "ID_04 (train, red: 1, as 65535)",
        "diff_vv: 2, as -32768",
    ):
        assert words in message


def test_filled_sentinels_leave_no_trace_but_in_the_audit(competition: Competition):
    spoil(competition)
    _, audit, page = competition.build(on_nonfinite="fill")
    found = {patch["id"]: patch["pixels"] for patch in audit["missing"]}
    hole = {"nonfinite": 0, "sentinel": 2, "zero": 0, "sentinel_value": -9999.0}
    assert found["ID_01"] == {"vv": hole}
    assert [channel["sentinel_pixels"] for channel in audit["channels"]] == [1, 2, 1]
    assert all(channel["min"] > -100 and channel["max"] < 9999 for channel in audit["channels"])
    assert "-9999" in page and any("-32768, -9999, 65535" in text for text in audit["warnings"])


def test_declared_values_reach_the_mask(competition: Competition):
    competition.edit("ID_01", vv=np.where(np.eye(8), -12.5, -11.0))
    assert competition.build()[1]["missing"] == []
    shutil.rmtree(competition.folder / "out")
    assert "ID_01 (train, vv: 8, as -12.5)" in competition.refusal(nodata={"vv": [-12.5]})


def test_the_store_fills_just_what_the_survey_found(competition: Competition):
    spoil(competition)
    manifest, _, _ = competition.build(on_nonfinite="fill")
    store = write_store(
        manifest, channels=list(CHANNELS), indices={}, no_data=no_data(CHANNELS, UNITS, {}),
        on_nonfinite="fill", patches_per_shard=5, workers=1,
        target=competition.folder / "store" / "all.h5",
    )  # fmt: skip
    stored = read_patches(store)
    for row, path in enumerate(manifest["path"]):
        assert file_digest(path) == manifest["sha256"][row]
        raw = np.load(path).astype(np.float32).transpose(2, 0, 1)
        holes = find_no_data(raw.reshape(3, -1), no_data(CHANNELS, UNITS, {}))
        kept = np.ones(raw.shape, bool) if holes is None else (holes == DATA).reshape(raw.shape)
        np.testing.assert_array_equal(stored[row][kept], raw[kept])
        medians = [np.median(raw[i][kept[i]]) for i in range(3)]
        for i, value in enumerate(medians):
            assert (stored[row, i][~kept[i]] == np.float32(value)).all()
    assert stored.min() > -100 and stored.max() < 9999


def test_copies_are_found_whatever_stands_where_there_is_no_data(competition: Competition):
    patch = np.load(competition.path("ID_01"))
    for patch_id, value in (("ID_01", np.nan), ("ID_05", -9999), ("ID_T1", np.inf)):
        patch[2, 2] = value
        competition.write(patch_id, patch)
    _, audit, _ = competition.build(on_nonfinite="fill")
    assert [[p["id"] for p in group["patches"]] for group in audit["copies"]] == [
        ["ID_01", "ID_05", "ID_T1"]
    ]


@pytest.mark.parametrize("policy", ["fill", "refuse", "keep"])
def test_zeros_at_once_follow_their_own_policy(competition: Competition, policy: str):
    channels = {"red": "reflectance_1e4", "green": "reflectance_1e4", "blue": "reflectance_1e4"}
    for seed, patch_id in enumerate([*competition.train, *competition.test]):
        patch = np.random.default_rng(seed).normal(1500, 200, (8, 8, 3))
        patch[0, :3] = 0 if patch_id == "ID_02" else patch[0, :3]
        competition.write(patch_id, patch)
    if policy == "refuse":
        message = competition.refusal(channels=channels, on_zeros=policy)
        assert (
            "1 patch holds zeros" in message
            and "ID_02 (train, red: 3, green: 3, blue: 3)" in message
        )
        return
    _, audit, _ = competition.build(channels=channels, on_zeros=policy)
    assert [channel["zero_pixels"] for channel in audit["channels"]] == (
        [3, 3, 3] if policy == "fill" else [0, 0, 0]
    )
