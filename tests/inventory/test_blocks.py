"""Windows that overlap or lie in one block are of one group, and of one fold."""

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from inventory.inventories import UTM
from pyproj import Geod, Transformer

from landslip.data.folds import assign_folds
from landslip.inventory.blocks import (
    block_names,
    common_crs,
    crossing_windows,
    groups_without_overlap,
    outlines,
    overlapping_pairs,
)
from landslip.io.files import InputError

SIDE = 640.0


def windows_at(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    low = np.column_stack([x, y]).astype(float)
    return np.hstack([low, low + SIDE])


def overlap(one: np.ndarray, other: np.ndarray) -> float:
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    return max(width, 0) * max(height, 0)


@st.composite
def places(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Windows at random places, some on a grid, and their blocks."""
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    n = draw(st.integers(2, 40))
    xy = rng.uniform(-8000, 8000, (n, 2))
    if draw(st.booleans()):
        xy = np.round(xy / 320) * 320
    bounds = windows_at(*xy.T)
    return bounds, block_names(bounds[:, 0] + 320, bounds[:, 1] + 320, 2000)


@given(places())
def test_no_window_overlaps_one_of_another_group_and_no_name_is_parted(case):
    bounds, names = case
    groups = groups_without_overlap(bounds, names)
    assert set(groups) <= set(names)
    for one in range(len(bounds)):
        for other in range(one):
            if overlap(bounds[one], bounds[other]) > 0 or names[one] == names[other]:
                assert groups[one] == groups[other]


@given(places())
def test_pairs_are_those_that_share_ground(case):
    bounds, _ = case
    count = len(bounds)
    expected = {
        (one, other)
        for one in range(count)
        for other in range(one + 1, count)
        if overlap(bounds[one], bounds[other]) > 1
    }
    assert set(map(tuple, overlapping_pairs(bounds).tolist())) == expected
    quads = outlines(bounds, UTM, UTM)
    assert set(map(tuple, overlapping_pairs(quads).tolist())) == expected


@given(places())
def test_what_is_joined_is_joined_for_a_reason(case):
    bounds, _ = case
    groups = groups_without_overlap(bounds)
    pairs = overlapping_pairs(bounds)
    for name in set(groups):
        members = set(np.flatnonzero(groups == name).tolist())
        reached = {min(members)}
        assert int(name) == min(members)
        for _ in members:
            reached |= {int(b) for a, b in pairs if a in reached}
            reached |= {int(a) for a, b in pairs if b in reached}
        assert reached == members


@given(places())
def test_without_the_crossing_windows_blocks_stay_apart(case):
    bounds, names = case
    out = crossing_windows(bounds, names)
    groups = groups_without_overlap(bounds[~out], names[~out])
    assert np.array_equal(groups, names[~out])
    pairs = overlapping_pairs(bounds)
    crossing = {int(at) for pair in pairs if names[pair[0]] != names[pair[1]] for at in pair}
    assert set(np.flatnonzero(out).tolist()) <= crossing


@given(places(), st.integers(0, 99))
def test_windows_that_are_to_stay_go_only_for_one_another(case, seed: int):
    bounds, names = case
    first = np.random.default_rng(seed).random(len(bounds)) < 0.5
    out = crossing_windows(bounds, names, first)
    groups = groups_without_overlap(bounds[~out], names[~out])
    assert np.array_equal(groups, names[~out])
    alone = crossing_windows(bounds[first], names[first])
    assert np.array_equal(out[first], alone)


def test_of_a_scene_cut_at_half_a_window_few_are_left_out_to_keep_blocks_apart():
    x, y = (each.ravel() for each in np.meshgrid(np.arange(60) * 320, np.arange(60) * 320))
    bounds = windows_at(x, y)
    names = block_names(x + 320, y + 320, 10000)
    assert len(set(groups_without_overlap(bounds, names))) == 1
    out = crossing_windows(bounds, names)
    assert 0 < out.mean() < 0.05
    assert len(set(groups_without_overlap(bounds[~out], names[~out]))) == len(set(names)) == 4


@settings(max_examples=25)
@given(places(), st.integers(2, 4), st.integers(0, 99))
def test_no_overlapping_windows_are_in_two_folds(case, n: int, seed: int):
    bounds, names = case
    labels = np.arange(len(bounds)) % 2
    groups = groups_without_overlap(bounds, names)
    try:
        fold = assign_folds(labels, groups, scheme="grouped", n=n, seed=seed)
    except InputError:
        return
    for one, other in overlapping_pairs(bounds):
        assert fold[one] == fold[other]


def test_a_block_is_a_square_of_its_size():
    names = block_names([0, 9999, 10000, -1], [0, 9999, 0, 0], 10000)
    assert names.tolist() == ["0_0", "0_0", "0_1", "0_-1"]


def test_windows_of_two_zones_are_compared_on_the_ground():
    turn = Transformer.from_crs("EPSG:4326", UTM, always_xy=True)
    x, y = turn.transform(12.0, 46.0)  # where zones 32 and 33 meet
    here = windows_at(x + np.arange(3) * SIDE, np.full(3, y))
    over = Transformer.from_crs(UTM, "EPSG:32632", always_xy=True)
    there = windows_at(*(np.array([each]) for each in over.transform(x + 300, y + 300)))
    target = common_crs([[12.0, 46.0]])
    shapes = np.concatenate([outlines(here, UTM, target), outlines(there, "EPSG:32632", target)])
    pairs = overlapping_pairs(shapes).tolist()
    # The window of the other zone is turned and lies over two; the three only touch.
    assert pairs == [[0, 3], [1, 3]]
    assert groups_without_overlap(shapes).tolist() == ["0", "0", "2", "0"]


@pytest.mark.parametrize("places", [[[179.9, 60.0], [-179.9, 60.0]], [[15.0, -30.0]]])
def test_the_common_system_keeps_areas_and_lies_in_the_middle(places: list[list[float]]):
    crs = common_crs(places)
    back = Transformer.from_crs(crs, "EPSG:4326", always_xy=True)
    assert abs(back.transform(0, 0)[1] - places[0][1]) < 0.1
    corners = back.transform([0, 1e5, 1e5, 0], [0, 0, 1e5, 1e5])
    assert abs(Geod(ellps="WGS84").polygon_area_perimeter(*corners)[0]) == pytest.approx(
        1e10, rel=1e-3
    )


def test_nothing_is_grouped_where_nothing_is():
    assert groups_without_overlap(np.empty((0, 4))).tolist() == []
    assert shapely.is_valid(outlines(np.empty((0, 4)), UTM, UTM)).tolist() == []
