"""A window is a landslide where enough of it slid, by the area that a plain count finds too."""

import numpy as np
import pytest
import shapely
from affine import Affine
from hypothesis import given, settings
from hypothesis import strategies as st
from rasterio.features import rasterize

from landslip.inventory.dates import ABSENT, SHOWN, UNCERTAIN
from landslip.inventory.labels import LabelRule, distance_to_slides, label_windows

SIDE = 640.0
ONE = np.array([[0.0, 0.0, SIDE, SIDE]])
RULE = LabelRule(min_area=400.0)


def windows_of(rows: int, columns: int, stride: float = SIDE) -> np.ndarray:
    left, bottom = np.meshgrid(np.arange(columns) * stride, np.arange(rows) * stride)
    low = np.column_stack([left.ravel(), bottom.ravel()])
    return np.hstack([low, low + SIDE])


def objects(*shapes: shapely.Geometry) -> np.ndarray:
    return np.array(shapes, object)


@st.composite
def slides(draw: st.DrawFn) -> np.ndarray:
    """Polygons of any form, which may overlap one another."""
    found = []
    for _ in range(draw(st.integers(1, 6))):
        rng = np.random.default_rng(draw(st.integers(0, 10**6)))
        corners = rng.uniform(0, 1500, 2) + rng.normal(0, 200, (rng.integers(3, 8), 2))
        found.append(shapely.MultiPoint(corners).convex_hull)
    return objects(*found)


@settings(max_examples=25)
@given(slides(), st.sampled_from([320.0, 640.0]))
def test_areas_are_those_of_a_raster_of_the_same_slides(found: np.ndarray, stride: float):
    windows = windows_of(3, 3, stride)
    labels = label_windows(windows, found, LabelRule(min_share=0.1))
    pixel = 4.0
    side = int(1920 / pixel)
    image = rasterize(found, (side, side), transform=Affine(pixel, 0, 0, 0, -pixel, 1920))
    for window, area, share in zip(windows, labels.area, labels.share, strict=True):
        left, bottom, right, top = (window / pixel).astype(int)
        counted = image[side - top : side - bottom, left:right].sum() * pixel**2
        # A raster is off by half a pixel along the outlines.
        length = sum(shapely.intersection(slide, shapely.box(*window)).length for slide in found)
        assert abs(area - counted) <= 1 + 0.5 * pixel * length
        assert share == pytest.approx(area / SIDE**2)


@given(slides())
def test_positive_is_enough_slide_negative_is_none_and_ambiguous_lies_between(found: np.ndarray):
    windows = windows_of(3, 3)
    labels = label_windows(windows, found, LabelRule(min_area=20000.0, min_share=0.2))
    enough = (labels.area >= 20000) | (labels.share >= 0.2)
    assert np.array_equal(labels.label == 1, enough)
    assert np.array_equal(labels.label == 0, labels.area == 0)
    assert np.array_equal(labels.label == -1, (labels.area > 0) & ~enough)


def test_ground_that_two_slides_cover_counts_once():
    half = shapely.box(0, 0, 320, 640)
    labels = label_windows(ONE, objects(half, half, shapely.box(0, 0, 640, 10)), RULE)
    assert labels.area.tolist() == [320 * 640 + 320 * 10]


def test_a_slide_that_only_touches_a_window_leaves_it_negative():
    labels = label_windows(ONE, objects(shapely.box(640, 0, 700, 640)), RULE)
    assert labels.label.tolist() == [0] and labels.area.tolist() == [0]


@pytest.mark.parametrize(("ambiguous", "label"), [("drop", -1), ("negative", 0), ("positive", 1)])
def test_ambiguous_windows_follow_the_rule(ambiguous: str, label: int):
    rule = LabelRule(min_area=400, ambiguous=ambiguous)
    windows = np.vstack([ONE, ONE + 10 * SIDE])
    small = label_windows(windows, objects(shapely.box(0, 0, 10, 10)), rule)
    beside = label_windows(windows, objects(shapely.Point(5, 5)), rule)
    assert small.label.tolist() == beside.label.tolist() == [label, 0]


def test_a_point_makes_a_window_positive_in_its_middle_alone():
    points = objects(shapely.Point(320, 320), shapely.MultiPoint([(2000, 2000), (160, 480)]))
    for point in points:
        assert label_windows(ONE, objects(point), RULE).label.tolist() == [1]
    edge = objects(shapely.Point(150, 320))
    assert label_windows(ONE, edge, RULE).label.tolist() == [-1]
    assert label_windows(ONE, edge, LabelRule(min_area=400, middle=1)).label.tolist() == [1]


def test_slides_that_the_images_do_not_show_make_no_window_positive():
    windows = np.vstack([ONE, ONE + SIDE, ONE + 2 * SIDE])
    whole = objects(*(shapely.box(*window).buffer(-1) for window in windows))
    state = np.array([SHOWN, ABSENT, UNCERTAIN], np.int8)
    labels = label_windows(windows, whole, RULE, state)
    assert labels.label.tolist() == [1, 0, -1]
    assert labels.area[1:].tolist() == [0, 0]
    both = label_windows(ONE, objects(whole[0], whole[0]), RULE, state[[0, 2]])
    assert both.label.tolist() == [1]
    never = LabelRule(min_area=400, ambiguous="negative")
    assert label_windows(windows, whole, never, state).label.tolist() == [1, 0, -1]


def test_without_slides_every_window_is_negative():
    none = np.array([], object)
    labels = label_windows(windows_of(2, 2), none, RULE)
    assert labels.label.tolist() == [0] * 4
    assert np.isinf(distance_to_slides(windows_of(2, 2), none)).all()


@given(slides())
def test_distances_are_those_to_the_nearest_slide(found: np.ndarray):
    windows = windows_of(3, 3)
    nearest = [min(shapely.box(*w).distance(slide) for slide in found) for w in windows]
    assert distance_to_slides(windows, found) == pytest.approx(nearest)


def test_a_rule_that_can_make_nothing_positive_is_refused():
    for wrong in ({}, {"min_area": 0}, {"min_share": -1}, {"min_area": 1, "middle": 0}):
        with pytest.raises(ValueError, match=r"expected more than 0|give min_area"):
            LabelRule(**wrong)
