"""Labels of windows by how much of each is landslide."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray

from landslip.inventory.blocks import Polygons, polygons_of
from landslip.inventory.dates import ABSENT, SHOWN

AMBIGUOUS = -1


@dataclass(frozen=True, kw_only=True)
class LabelRule:
    """When a window is a landslide; at least one of min_area and min_share is given."""

    min_area: float | None = None
    """Square metres of slide that make a window positive."""
    min_share: float | None = None
    """Share of the window that makes it positive, above 0."""
    middle: float = 0.5
    """Side of the inner square, as a share of the window's, where a point makes it positive."""
    ambiguous: Literal["drop", "negative", "positive"] = "drop"
    """What has some slide but too little, or a point beside the middle."""

    def __post_init__(self) -> None:
        if self.min_area is None and self.min_share is None:
            raise ValueError("give min_area, min_share or both")
        for name in ("min_area", "min_share", "middle"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise ValueError(f"{name} is {value}; expected more than 0")


@dataclass(frozen=True, kw_only=True)
class Labels:
    """Of windows."""

    label: NDArray[np.int8]
    """(n,) 1 landslide, 0 none, -1 ambiguous."""
    area: NDArray[np.float64]
    """(n,) square metres of slide inside; of slides that overlap once."""
    share: NDArray[np.float64]
    """(n,) the same as a share of the window."""


def label_windows(
    windows: ArrayLike,
    slides: NDArray[np.object_],
    rule: LabelRule,
    state: NDArray[np.int8] | None = None,
) -> Labels:
    """Label windows.

    Parameters
    ----------
    windows : (n, 4) or (n,)
        Left, bottom, right and top of each, or four-sided polygons, in metres.
    slides : (m,)
        Polygons and points in the same coordinate system.
    rule
        When a window is positive. Without any slide in it it is negative; between the two it is
        ambiguous.
    state : (m,)
        Of each slide, as `landslip.inventory.dates.slides_in_images` gives it: those that came
        later do not count; a window that an uncertain one touches is ambiguous, whatever `rule`
        says, unless others make it positive. None: all are in the images.

    Returns
    -------
    Labels
        In the order of `windows`; area and share are of the slides that are in the images.
    """
    shapes = polygons_of(windows)
    state = np.full(len(slides), SHOWN, np.int8) if state is None else state
    shown = slides[state == SHOWN]
    area = slide_areas(shapes, shown)
    share = area / shapely.area(shapes)
    points = shown[shapely.get_dimensions(shown) == 0]
    positive = _touched(_middles(shapes, rule.middle), points)
    if rule.min_area is not None:
        positive |= area >= rule.min_area
    if rule.min_share is not None:
        positive |= share >= rule.min_share
    some = (area > 0) | _touched(shapes, points)
    label = positive.astype(np.int8)
    if rule.ambiguous != "positive":
        label[some & ~positive] = AMBIGUOUS if rule.ambiguous == "drop" else 0
    else:
        label[some] = 1
    uncertain = slides[(state != SHOWN) & (state != ABSENT)]
    label[_touched(shapes, uncertain) & (label != 1)] = AMBIGUOUS
    return Labels(label=label, area=area, share=share)


def slide_areas(windows: Polygons, slides: NDArray[np.object_]) -> NDArray[np.float64]:
    """Area (n,) of each window that polygons cover; ground that several cover counts once."""
    area = np.zeros(len(windows))
    polygons = slides[shapely.get_dimensions(slides) == 2]
    window, slide = shapely.STRtree(polygons).query(windows, predicate="intersects")
    if not len(window):
        return area
    inside = shapely.intersection(windows[window], polygons[slide])
    # The tree answers window by window.
    owners, starts, counts = np.unique(window, return_index=True, return_counts=True)
    area[owners] = shapely.area(inside[starts])
    for owner, start, count in zip(owners, starts, counts, strict=True):
        if count > 1:
            area[owner] = shapely.union_all(inside[start : start + count]).area
    return area


def distance_to_slides(windows: ArrayLike, slides: NDArray[np.object_]) -> NDArray[np.float64]:
    """Metres (n,) from each window's edge to the nearest slide; 0 inside, infinite without one."""
    shapes = polygons_of(windows)
    distance = np.full(len(shapes), np.inf)
    if len(slides) and len(shapes):
        (window, _), metres = shapely.STRtree(slides).query_nearest(
            shapes, return_distance=True, all_matches=False
        )
        distance[window] = metres
    return distance


def _middles(windows: Polygons, share: float) -> Polygons:
    """The inner part of each window, of the same shape."""
    corners = shapely.get_coordinates(windows).reshape(-1, 5, 2)
    centre = corners[:, :4].mean(axis=1, keepdims=True)
    return np.asarray(shapely.polygons(centre + (corners - centre) * share), object)


def _touched(windows: Polygons, slides: NDArray[np.object_]) -> NDArray[np.bool_]:
    """Windows (n,) that share a point with a slide."""
    touched = np.zeros(len(windows), np.bool_)
    tree = shapely.STRtree(slides)
    touched[tree.query(windows, predicate="intersects")[0]] = True
    return touched
