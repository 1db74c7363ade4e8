"""Groups of windows that folds keep together: those that overlap, and blocks of ground."""

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray
from pyproj import CRS, Transformer
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

Pairs = NDArray[np.int64]
Polygons = NDArray[np.object_]

# Metres: windows that touch share no pixel, and their edges in another system are a hair off.
_TOUCH = 1e-3


def block_names(x: ArrayLike, y: ArrayLike, size: float) -> NDArray[np.str_]:
    """Name (n,) of the square of ground that each place lies in.

    Parameters
    ----------
    x, y : (n,)
        Metres, in one coordinate system.
    size
        Side of a block in metres; blocks begin at multiples of it.
    """
    columns, rows = (np.floor(np.asarray(each, np.float64) / size).astype(int) for each in (x, y))
    return np.array([f"{row}_{column}" for row, column in zip(rows, columns, strict=True)], str)


def common_crs(places: ArrayLike) -> CRS:
    """A system in metres for windows of several: equal areas, around their middle.

    Parameters
    ----------
    places : (n, 2)
        Longitude and latitude in degrees.

    Notes
    -----
    Lambert's azimuthal projection: 1,000 km from the middle lengths are off by 0.3 %.
    """
    longitude, latitude = np.radians(np.asarray(places, np.float64).reshape(-1, 2)).T
    # The middle on the sphere: the mean of degrees would be elsewhere at the 180th meridian.
    x, y = np.cos(latitude) * np.cos(longitude), np.cos(latitude) * np.sin(longitude)
    middle = np.mean([x, y, np.sin(latitude)], axis=1)
    east = np.degrees(np.arctan2(middle[1], middle[0]))
    north = np.degrees(np.arctan2(middle[2], np.hypot(middle[0], middle[1])))
    return CRS.from_user_input(
        f"+proj=laea +lat_0={north:.6f} +lon_0={east:.6f} +datum=WGS84 +units=m"
    )


def polygons_of(windows: ArrayLike) -> Polygons:
    """Windows as polygons (n,), if they are not: left, bottom, right, top (n, 4) are rectangles."""
    given = np.asarray(windows)
    if given.dtype == object and given.ndim == 1:
        return given
    return np.asarray(shapely.box(*given.astype(np.float64).reshape(-1, 4).T), object)


def outlines(bounds: ArrayLike, crs: object, target: object) -> Polygons:
    """Windows (n, 4) of one coordinate system as polygons (n,) of another.

    In another system they are turned; their upright rectangles would overlap where they do not.
    """
    if crs == target:
        return polygons_of(bounds)
    left, bottom, right, top = np.asarray(bounds, np.float64).reshape(-1, 4).T
    x = np.stack([left, right, right, left], axis=1)
    y = np.stack([bottom, bottom, top, top], axis=1)
    turn = Transformer.from_crs(crs, target, always_xy=True)
    corners = np.stack(turn.transform(x, y), axis=-1)
    return np.asarray(shapely.polygons(corners), object)


def groups_without_overlap(
    windows: NDArray[np.float64] | Polygons, names: ArrayLike | None = None
) -> NDArray[np.str_]:
    """Group (n,) of each window, such that no window overlaps one of another group.

    Parameters
    ----------
    windows : (n, 4) or (n,)
        Left, bottom, right, top, or polygons; all in one coordinate system, in metres.
    names : (n,)
        Block, scene or event; windows of one name are of one group. None: only overlaps join.

    Returns
    -------
    (n,) str
        The first name of the group, in the order of names; without names the number of its first
        window.

    Notes
    -----
    Groups are the connected components of what overlaps and of what has one name. Where windows
    overlap in a chain, as all of a scene do if they are cut at less than their size, that is one
    group; `crossing_windows` says which to leave out to keep blocks apart.
    """
    count = len(windows)
    distinct, name = np.unique(np.arange(count) if names is None else names, return_inverse=True)
    # Each window is linked with those that it overlaps and with its name.
    links = np.vstack(
        [overlapping_pairs(windows), np.column_stack([np.arange(count), count + name])]
    )
    size = count + len(distinct)
    graph = coo_array((np.ones(len(links), np.int8), tuple(links.T)), shape=(size, size))
    parts = connected_components(graph, directed=False)[1][:count]
    least = np.full(size, len(distinct))
    np.minimum.at(least, parts, name)
    return np.asarray(distinct.astype(str)[least[parts]], str)


def crossing_windows(
    windows: NDArray[np.float64] | Polygons, names: ArrayLike, first: ArrayLike | None = None
) -> NDArray[np.bool_]:
    """Windows (n,) to leave out so that no other overlaps a window of another name.

    Of each overlap across a border the window with more such overlaps goes, the later one of
    two with as many; so a strip is left out once and not on both sides.

    Parameters
    ----------
    windows
        Left, bottom, right, top (n, 4), or polygons (n,); all in one coordinate system.
    names : (n,)
        Of their blocks.
    first : (n,) bool
        Windows that stay where they overlap others; of two of them, and of two others, one goes
        as above. None: all are alike.
    """
    code = np.unique(np.asarray(names), return_inverse=True)[1]
    later = np.zeros(len(windows), int) if first is None else 1 - np.asarray(first, int)
    pairs = overlapping_pairs(windows)
    pairs = pairs[code[pairs[:, 0]] != code[pairs[:, 1]]]
    turn = later[pairs].sum(axis=1)
    out = np.zeros(len(windows), np.bool_)
    # First among those that stay, then of what overlaps them, then among the rest.
    for each in (0, 1, 2):
        own = pairs[(turn == each) & ~out[pairs].any(axis=1)]
        crossings = np.bincount(own.ravel(), minlength=len(windows))
        order = np.argsort(-crossings[own].max(axis=1, initial=0), kind="stable")
        for one, other in own[order]:
            if not out[one] and not out[other]:
                goes = max((later[at], crossings[at], at) for at in (one, other))
                out[goes[2]] = True
    return out


def overlapping_pairs(windows: NDArray[np.float64] | Polygons) -> Pairs:
    """Pairs (m, 2) of windows that share ground, the lower number first."""
    if windows.ndim == 2:
        left, bottom, right, top = windows.astype(np.float64).T
        # The tree compares rectangles; made smaller by a hair, those that only touch do not meet.
        shapes = shapely.box(left + _TOUCH, bottom + _TOUCH, right - _TOUCH, top - _TOUCH)
        one, other = shapely.STRtree(shapes).query(shapes)
        keep = one < other
        return np.column_stack([one[keep], other[keep]]).astype(np.int64)
    one, other = shapely.STRtree(windows).query(windows, predicate="intersects")
    one, other = one[one < other], other[one < other]
    keep = share_ground(windows[one], windows[other])
    return np.column_stack([one[keep], other[keep]]).astype(np.int64)


def share_ground(one: Polygons, other: Polygons) -> NDArray[np.bool_]:
    """Whether polygons (n,) overlap others (n,); a hair's breadth along an edge is no ground."""
    shared = shapely.area(shapely.intersection(one, other))
    least = _TOUCH * np.minimum(shapely.length(one), shapely.length(other))
    return np.asarray(shared > least, np.bool_)
