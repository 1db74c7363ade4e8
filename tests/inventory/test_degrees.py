"""Scenes on a grid of degrees, or of a map on the net: windows, labels and blocks are in metres."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import shapely
from inventory.made_scenes import ORDER, SIDE, SIZE, Looked, list_windows, look
from pyproj import CRS, Geod, Transformer

from landslip.data.patches import PatchError
from landslip.inventory.blocks import common_crs, groups_without_overlap, overlapping_pairs
from landslip.inventory.labels import LabelRule
from landslip.inventory.negatives import Negatives
from landslip.inventory.read import read_inventory
from landslip.inventory.reader import open_windows
from landslip.inventory.scenes import TrainingScene
from landslip.inventory.windows import SceneRecord, metric_crs, read_scene_record
from landslip.scene.layers import Layers
from landslip.scene.rasters import Grid
from landslip.scene.reader import Reading
from landslip.simulation.products import simulate_scene

GEOD = Geod(ellps="WGS84")
STEP = 8.983152841195215e-05
AROUND = 200.0
BLOCK = 700.0


def area_on_earth(shape: Any) -> float:
    """Square metres on the ellipsoid of a polygon in degrees."""
    return abs(GEOD.geometry_area_perimeter(shape)[0])


def moved(shapes: Any, source: Any, target: Any) -> Any:
    turn = Transformer.from_crs(source, target, always_xy=True)
    return shapely.transform(shapes, lambda xy: np.column_stack(turn.transform(*xy.T)))


def in_degrees(windows: pd.DataFrame, grid: Grid, size: int) -> Any:
    """Windows as they lie on their grid of degrees."""
    left = grid.left + windows["column"].to_numpy() * grid.across
    top = grid.top - windows["row"].to_numpy() * grid.down
    return shapely.box(left, top - size * grid.down, left + size * grid.across, top)


def scene_of(grid: Grid, size: int) -> TrainingScene:
    """All windows of a grid."""
    rows, columns = np.mgrid[0 : grid.height - size + 1 : size, 0 : grid.width - size + 1 : size]
    reading = Reading(layers=Layers(name="x", event="2024-06-14"), grid=grid)
    record = SceneRecord(
        name="x", path="x", reading=reading, size=size, windows=rows.size, seen=rows.size,
        files={}, warnings=[],
    )  # fmt: skip
    table = pd.DataFrame({"row": rows.ravel(), "column": columns.ravel()})
    return TrainingScene(split="train", record=record, windows=table)


@pytest.mark.parametrize(("left", "top"), [(17.3, 46.0), (12.02, 61.5), (-70.5, -33.0)])
def test_windows_of_degrees_have_their_true_area_and_overlap_no_neighbour(left: float, top: float):
    grid = Grid(crs="EPSG:4326", left=left, top=top, across=STEP, down=STEP, width=640, height=640)
    scene = scene_of(grid, 64)
    outlines = scene.outlines(scene.windows, scene.crs)
    true = np.array([area_on_earth(shape) for shape in in_degrees(scene.windows, grid, 64)])
    # UTM stretches areas by 0.0008 at most in a zone's middle and by 0.002 at its edge.
    np.testing.assert_allclose(shapely.area(outlines), true, rtol=2.5e-3)
    assert not len(overlapping_pairs(outlines))
    assert len(set(groups_without_overlap(outlines))) == len(outlines) == 100
    back = Transformer.from_crs(scene.crs, "EPSG:4326", always_xy=True)
    longitude, latitude = back.transform(*scene.middles.T)
    expected = shapely.get_coordinates(shapely.centroid(in_degrees(scene.windows, grid, 64)))
    np.testing.assert_allclose(np.column_stack([longitude, latitude]), expected, atol=1e-8)


def test_windows_that_overlap_on_their_grid_do_so_in_metres():
    grid = Grid(crs="EPSG:4326", left=17, top=46, across=STEP, down=STEP, width=128, height=64)
    scene = scene_of(grid, 64)
    shifted = pd.concat([scene.windows, pd.DataFrame({"row": [0], "column": [63]})])
    pairs = overlapping_pairs(scene.outlines(shifted, scene.crs))
    # The third begins in the last column of the first and covers most of the second.
    assert pairs.tolist() == [[0, 2], [1, 2]]


def test_a_projection_whose_unit_is_no_metre_on_the_ground_gives_way_to_utm():
    """Mercator's for maps on the net: 10 m of the ground at 46 degrees are 14.4 of its own."""
    size = 10 / np.cos(np.radians(46))
    x, y = Transformer.from_crs("EPSG:4326", "EPSG:3857", always_xy=True).transform(13.0, 46.0)
    grid = Grid(crs="EPSG:3857", left=x, top=y, across=size, down=size, width=128, height=128)
    scene = scene_of(grid, 64)
    assert scene.crs == CRS.from_epsg(32633)
    areas = shapely.area(scene.outlines(scene.windows, scene.crs))
    np.testing.assert_allclose(areas, 640**2, rtol=5e-3)


@pytest.mark.parametrize(
    ("crs", "left", "top", "step"),
    [("EPSG:32633", 4e5, 5e6, 10), ("EPSG:2154", 9e5, 6.5e6, 10), ("EPSG:3035", 4.6e6, 2.6e6, 10)],
)
def test_a_system_of_metres_is_kept(crs: str, left: float, top: float, step: float):
    grid = Grid(crs=crs, left=left, top=top, across=step, down=step, width=500, height=500)
    assert metric_crs(grid) == CRS.from_user_input(crs)


def test_beyond_the_zones_of_utm_there_is_a_system_too():
    grid = Grid(crs="EPSG:4326", left=-30, top=84.2, across=1e-4, down=1e-4, width=64, height=64)
    scene = scene_of(grid, 64)
    (true,) = [area_on_earth(shape) for shape in in_degrees(scene.windows, grid, 64)]
    assert shapely.area(scene.outlines(scene.windows, scene.crs)) == pytest.approx(true, rel=1e-3)


@pytest.fixture(scope="module")
def degrees(tmp_path_factory: pytest.TempPathFactory) -> Looked:
    """A scene in degrees at the edge of a zone, whose inventory is in the next zone's system."""
    folder: Path = tmp_path_factory.mktemp("degrees")
    simulate_scene(
        folder / "scene", rows=SIDE, columns=SIDE, slides=8, cloud=0.0, seed=11,
        mistake="degrees", east=-150_000,
    )  # fmt: skip
    return look(folder / "scene" / "scene.yaml", folder / "looked", least_data=0.5)


@pytest.fixture(scope="module")
def listed(degrees: Looked, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Listing, notes, windows and slides in degrees."""
    listing, notes = list_windows(
        tmp_path_factory.mktemp("listed"), [degrees], label=LabelRule(min_area=1500),
        negatives=Negatives(share=1.0, min_distance=AROUND), block_size=BLOCK,
    )  # fmt: skip
    grid = read_scene_record(degrees.record).reading.grid
    slides = read_inventory(degrees.inventory)
    inside = moved(slides.geometries, slides.crs, "EPSG:4326")
    return listing, notes, in_degrees(listing, grid, SIZE), inside


def test_areas_and_labels_of_a_scene_in_degrees_are_those_on_the_ground(listed: Any):
    listing, _, windows, slides = listed
    assert set(listing["crs"]) == {"EPSG:32632"}
    whole = shapely.union_all(slides)
    true = np.array([area_on_earth(shapely.intersection(each, whole)) for each in windows])
    np.testing.assert_allclose(listing["area"], true, rtol=5e-3, atol=2)
    assert set(listing["label"]) == {0, 1}
    assert ((true > 1500) == (listing["label"] == 1)).all()
    assert (true[listing["label"] == 0] < 1).all()


def test_negatives_of_a_scene_in_degrees_keep_their_distance_in_metres(
    degrees: Looked, listed: Any, tmp_path: Path
):
    listing, _, windows, slides = listed
    flat = common_crs(shapely.get_coordinates(shapely.centroid(windows)))
    ground = moved(shapely.union_all(slides), "EPSG:4326", flat)
    metres = shapely.distance(moved(windows, "EPSG:4326", flat), ground)
    assert (metres[listing["label"] == 0] > AROUND - 1).all()
    # All that lie farther off are there, and no others without a slide.
    everywhere, _ = list_windows(
        tmp_path, [degrees], label=LabelRule(min_area=1500), negatives=Negatives(share=1.0)
    )
    grid = read_scene_record(degrees.record).reading.grid
    others = everywhere[everywhere["label"] == 0]
    far = shapely.distance(moved(in_degrees(others, grid, SIZE), "EPSG:4326", flat), ground)
    assert set(others["id"][far > AROUND + 1]) <= set(listing["id"])
    assert (far < AROUND).any()


def test_blocks_of_a_scene_in_degrees_are_squares_of_metres_and_lose_no_window(listed: Any):
    listing, notes, _, _ = listed
    assert not any("overlap" in note for note in notes)
    rows, columns = np.floor(listing[["y", "x"]].to_numpy() / BLOCK).astype(int).T
    expected = [f"{row}_{column}" for row, column in zip(rows, columns, strict=True)]
    assert listing["group"].tolist() == expected
    assert len(set(expected)) > 4


def test_a_scene_in_degrees_is_read_as_any_other(degrees: Looked, listed: Any):
    listing = listed[0]
    reader = open_windows([degrees.record], ORDER)
    patches = [
        each for each in reader.read(listing, (SIZE, SIZE)) if not isinstance(each, PatchError)
    ]
    assert len(patches) == len(listing)
    assert all(np.isfinite(each.pixels).mean() > 0.4 for each in patches)
