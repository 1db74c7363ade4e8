"""Patches in another unit than the rest are found, few or in one split; odd pixels are told."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from landslip.data.units import UnitRange
from small_competition import UNITS, Competition

CHANNELS = {
    **dict.fromkeys(["red", "green", "blue", "nir"], "reflectance_1e4"),
    **dict.fromkeys(["desc_vv", "desc_vh", "asc_vv", "asc_vh"], "db"),
    **dict.fromkeys(["diff_vv", "diff_vh"], "db_change"),
}
OPTICAL, RADAR, CHANGE = slice(0, 4), slice(4, 8), slice(8, 10)
LAND = [1300, 1500, 1400, 3200, -10, -16.5, -10.5, -17, 0, 0]
WATER = [120, 200, 260, 40, -24, -36, -22, -35, 0.0, 0.0]
SPREAD = [150, 150, 150, 500, 3, 3, 3, 3, 2, 2]

Change = Callable[[NDArray[np.float64]], NDArray[np.float64]]


def fill(competition: Competition, changes: dict[str, Change] | None = None) -> None:
    """Land, and open water without offset in every fourth patch; `changes` by id."""
    for seed, patch_id in enumerate([*competition.train, *competition.test]):
        random = np.random.default_rng(seed)
        patch = random.normal(LAND, SPREAD, (8, 8, 10))
        if seed % 4 == 1:
            patch = random.normal(WATER, np.array(SPREAD) / 20, (8, 8, 10))
        competition.write(patch_id, (changes or {}).get(patch_id, lambda p: p)(patch))


def scale(patch: NDArray[np.float64]) -> NDArray[np.float64]:
    patch[..., OPTICAL] /= 1e4
    return patch


def linear(patch: NDArray[np.float64]) -> NDArray[np.float64]:
    patch[..., RADAR] = 10 ** (patch[..., RADAR] / 10)
    return patch


def amplitude(patch: NDArray[np.float64]) -> NDArray[np.float64]:
    patch[..., RADAR] = 30 * 10 ** (patch[..., RADAR] / 20)
    return patch


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (scale, ["unit reflectance_1e4", "from 0 to 1", "10^4"]),
        (linear, ["unit db", "not one pixel is negative", "power or amplitude"]),
        (amplitude, ["unit db", "not one pixel is negative"]),
    ],
)
@pytest.mark.parametrize("wrong", [["ID_01"], ["ID_00", "ID_04", "ID_09"], ["ID_T0", "ID_T1"]])
def test_a_minority_in_another_unit_is_refused_with_counts_and_ids(
    competition: Competition, change: Change, words: list[str], wrong: list[str]
):
    fill(competition, dict.fromkeys(wrong, change))
    message = competition.refusal(channels=CHANNELS, on_nonfinite="fill")
    for text in [*words, *wrong, "data.on_wrong_unit: report"]:
        assert text in message
    train = sum(name in competition.train for name in wrong)
    assert f"{train} of 12 train and {len(wrong) - train} of 4 test patches" in message
    _, audit, _ = competition.build(channels=CHANNELS, on_nonfinite="fill", on_wrong_unit="report")
    assert sum(sentence.startswith("Wrong unit") for sentence in audit["warnings"]) == 1


def test_water_without_offset_snow_and_places_without_change_pass(competition: Competition):
    changes = {
        "ID_02": lambda patch: patch * [8, 8, 8, 3, 1, 1, 1, 1, 1, 1],
        "ID_03": lambda patch: patch * [1, 1, 1, 1, 1, 1, 1, 1, 1e-3, 1e-3],
        "ID_06": lambda patch: patch + np.array([0, 0, 0, 0, 10, 10, 10, 10, 5, 5]),
    }
    fill(competition, changes)
    _, audit, _ = competition.build(channels=CHANNELS)
    assert not any("unit" in sentence or "?" in sentence for sentence in audit["warnings"])


def test_signs_are_judged_only_for_decibels(competition: Competition):
    units = {**UNITS, "metre": UnitRange((-430, 8900), (1, 8000))}
    channels = {"red": "reflectance_1e4", "vv": "db", "elevation": "metre"}
    for patch_id in [*competition.train, *competition.test]:
        patch = np.load(competition.path(patch_id))
        patch[..., 2] = 700 + 20 * np.abs(patch[..., 2])
        competition.write(patch_id, patch)
    _, audit, _ = competition.build(channels=channels, units=units)
    assert audit["warnings"] == []


def grow(competition: Competition, number: int) -> None:
    """More training and test patches, so that each split is judged by itself."""
    competition.train = [f"ID_{i:02d}" for i in range(number)]
    competition.test = [f"ID_T{i}" for i in range(number)]
    rows = [f"{name},{i % 2}\n" for i, name in enumerate(competition.train)]
    competition.csv("Train.csv", "ID,label\n" + "".join(rows))
    competition.csv("Test.csv", "ID\n" + "".join(f"{name}\n" for name in competition.test))


def test_one_channel_of_a_split_in_another_unit_is_refused(competition: Competition):
    grow(competition, 30)
    only_red = dict.fromkeys(competition.test, lambda patch: patch / [1e4, *[1] * 9])
    fill(competition, only_red)
    message = competition.refusal(channels=CHANNELS)
    assert "channel red" in message and "its pixels in test is 0.1" in message
    assert message.count("median magnitude") == 1


@pytest.mark.parametrize(
    ("order", "words"),
    [
        ([3, 1, 2, 0, 4, 5, 6, 7, 8, 9], ["NDVI is -0.", "are nir and red exchanged?"]),
        ([0, 1, 2, 3, 5, 4, 6, 7, 8, 9], ["desc_vv lies", "below desc_vh", "exchanged?"]),
        ([0, 1, 2, 3, 4, 5, 4, 5, 8, 9], ["desc_vv and asc_vv are alike", "1.00000", "copy?"]),
        ([0, 1, 2, 3, 4, 5, 6, 7, 8, 9], []),
    ],
)
@pytest.mark.parametrize("where", ["everywhere", "test"])
def test_what_is_physically_odd_is_told_with_its_number(
    competition: Competition, order: list[int], words: list[str], where: str
):
    if where == "test":
        grow(competition, 30)
    ids = competition.test + (competition.train if where == "everywhere" else [])
    fill(competition, dict.fromkeys(ids, lambda patch: patch[..., order]))
    _, audit, page = competition.build(channels=CHANNELS, ndvi=("nir", "red"))
    told = [sentence for sentence in audit["warnings"] if sentence.endswith("?")]
    assert bool(told) == bool(words)
    assert all(any(word in sentence for sentence in told) for word in words)
    assert all(sentence.startswith("In test: ") == (where == "test") for sentence in told)
    assert all(word in page for word in words)
