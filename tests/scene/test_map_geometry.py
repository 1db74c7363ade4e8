"""Every pixel once, whatever the size and the stride; tiles without seams."""

from contextlib import nullcontext
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pandas as pd
import pytest
import rasterio
from hypothesis import given, settings
from hypothesis import strategies as st
from scene.plain_bundle import plain_bundle
from scene.simulated_scene import COLUMNS, ROWS, interpret

from landslip.scene.cells import Cells, Tile, combine, cut_tiles, paint, pixel_extent
from landslip.scene.mosaic import write_mosaic
from landslip.scene.reader import Flag, Pixels, Reading, open_scene
from landslip.scene.tiles import MappedTile, map_tile, write_tile

sizes = st.integers(1, 300)
strides = st.integers(1, 64)


@given(height=sizes, width=sizes, stride=strides, pixels=st.integers(1, 200))
@settings(max_examples=60)
def test_every_pixel_lies_in_one_cell_of_one_tile(
    height: int, width: int, stride: int, pixels: int
) -> None:
    cells = Cells(height=height, width=width, patch=64, stride=stride)
    written = np.zeros((height, width), int)
    scored = np.zeros((cells.rows, cells.columns), int)
    for tile in cut_tiles(cells, pixels):
        row, column, rows, columns = pixel_extent(cells, tile)
        written[row : row + rows, column : column + columns] += 1
        scored[tile.row : tile.row + tile.rows, tile.column : tile.column + tile.columns] += 1
    assert (written == 1).all()
    assert (scored == 1).all()


@given(stride=strides, pixels=st.sampled_from([64, 128, 256]))
def test_no_patch_of_a_tile_begins_before_the_blocks_that_it_shares_with_the_next_one(
    stride: int, pixels: int
) -> None:
    pixels = pixels // stride * stride
    cells = Cells(height=1200, width=1200, patch=64, stride=stride)
    for tile in cut_tiles(cells, pixels):
        if tile.row:
            first = int(cells.first_rows(np.array([tile.row]))[0])
            assert 0 <= first % pixels < stride or first == 1200 - 64


@given(height=sizes, width=sizes, stride=strides)
def test_a_cell_lies_in_its_patch_and_in_the_middle_of_it_away_from_edges(
    height: int, width: int, stride: int
) -> None:
    cells = Cells(height=height, width=width, patch=64, stride=stride)
    rows = np.arange(cells.rows)
    first = cells.first_rows(rows)
    assert (first <= rows * stride).all()
    assert (np.minimum((rows + 1) * stride, height) <= first + 64).all()
    assert (first >= 0).all()
    if height >= 64:
        assert (first + 64 <= height).all()
    inside = (first > 0) & (first < height - 64)
    middle = (first + 32 - rows * stride)[inside]
    assert (middle == stride // 2).all()


@given(
    st.integers(1, 12), st.integers(1, 12), st.integers(0, 3), st.integers(0, 9),
    st.sampled_from(["mean", "min"]),
)  # fmt: skip
def test_mean_and_min_are_those_of_the_patches_around(
    rows: int, columns: int, reach: int, seed: int, rule: Any
) -> None:
    rng = np.random.default_rng(seed)
    scores = rng.random((rows, columns))
    scores[rng.random((rows, columns)) < 0.2] = np.nan
    found = combine(scores, rule, reach)
    for i in range(rows):
        for j in range(columns):
            around = scores[max(i - reach, 0) : i + reach + 1, max(j - reach, 0) : j + reach + 1]
            if np.isnan(scores[i, j]):
                assert np.isnan(found[i, j])
            else:
                plain = np.nanmean(around) if rule == "mean" else np.nanmin(around)
                assert found[i, j] == pytest.approx(plain)


@pytest.fixture(scope="module")
def whole_reading(made_scene: Path) -> Reading:
    return interpret(made_scene).reading


def _cut(reading: Reading, height: int, width: int) -> Reading:
    grid = reading.grid.part(0, 0, height, width)
    return Reading(layers=reading.layers, grid=grid)


def _whole(reading: Reading, stride: int, pixels: int, rule: Any = "centre") -> list[MappedTile]:
    cells = Cells(height=reading.grid.height, width=reading.grid.width, patch=64, stride=stride)
    return [map_tile(reading, cells, tile, rule, plain_bundle) for tile in cut_tiles(cells, pixels)]


@pytest.mark.parametrize(
    ("size", "stride"),
    [((ROWS, COLUMNS), 32), ((ROWS, COLUMNS), 64), ((100, 64), 16), ((40, 90), 23), ((9, 9), 64)],
)
def test_the_map_is_direct_prediction_of_the_same_windows(
    whole_reading: Reading, stride: int, size: tuple[int, int]
) -> None:
    reading = _cut(whole_reading, *size)
    height, width = size
    cells = Cells(height=height, width=width, patch=64, stride=stride)
    mapped = map_tile(reading, cells, Tile(number=0, row=0, column=0, rows=cells.rows,
                      columns=cells.columns), "centre", plain_bundle)  # fmt: skip
    with open_scene(reading) as reader:
        names = reader.channels
        whole = reader.read(0, 0, max(height, 64), max(width, 64))
    seen = mapped.cells.set_index(["row", "column"])["probability"]
    for i in range(cells.rows):
        for j in range(cells.columns):
            top = min(max(i * stride + stride // 2 - 32, 0), max(height - 64, 0))
            left = min(max(j * stride + stride // 2 - 32, 0), max(width - 64, 0))
            patch = whole.channels[None, :, top : top + 64, left : left + 64]
            expected = plain_bundle(patch, names).probability[0]
            assert np.array_equal(seen[i, j], expected, equal_nan=True)
            part = (slice(i * stride, min((i + 1) * stride, height)),
                    slice(j * stride, min((j + 1) * stride, width)))  # fmt: skip
            blind = whole.flags[part] & Flag.NODATA > 0
            step = 255 if np.isnan(expected) else round(expected * 250)
            assert (mapped.probability[part] == np.where(blind, 255, step)).all()


def test_flags_know_sensors_by_the_names_that_the_bundle_has_for_them(
    whole_reading: Reading,
) -> None:
    """`optical2` is another sensor than `optical`, though its name begins so."""
    own = {"optical": "optical2", "descending": "sar", "ascending": "sar"}

    def renamed(patches: Any, channels: Any) -> Any:
        found = plain_bundle(patches, channels)
        found.sensors = [
            "+".join(dict.fromkeys(own[each] for each in text.split("+") if each))
            for text in found.sensors
        ]
        return found

    reading = _cut(whole_reading, 150, 170)
    cells = Cells(height=150, width=170, patch=64, stride=16)
    (tile,) = cut_tiles(cells, 1000)
    plain = map_tile(reading, cells, tile, "centre", plain_bundle).flags
    known = map_tile(reading, cells, tile, "centre", renamed, own).flags
    unknown = map_tile(reading, cells, tile, "centre", renamed).flags
    assert ((known ^ plain) & Flag.NO_OPTICAL == 0).all()
    assert (unknown & Flag.NO_OPTICAL > 0).all()
    assert (unknown & Flag.NO_ASCENDING > 0).all()


@pytest.mark.parametrize("rule", ["centre", "mean", "min"])
def test_tiles_have_no_seams(whole_reading: Reading, tmp_path: Path, rule: Any) -> None:
    reading = _cut(whole_reading, 150, 170)
    images = []
    for pixels in (80, 1000):
        cells = Cells(height=150, width=170, patch=64, stride=16)
        tiles = cut_tiles(cells, pixels)
        paths = []
        for tile in tiles:
            path = tmp_path / f"{pixels}_{tile.number}.tif"
            mapped = map_tile(reading, cells, tile, rule, plain_bundle)
            write_tile(mapped, reading, cells, tile, path, path.with_suffix(".parquet"))
            paths.append(path)
        target = tmp_path / f"map{pixels}.tif"
        write_mosaic(paths, tiles, reading.grid, cells, {"BUNDLE": "x & <y>"}, target)
        with rasterio.open(target) as file:
            images.append(file.read())
            assert file.tags()["BUNDLE"] == "x & <y>"
            assert file.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
            assert (file.nodata, file.scales[0], file.count) == (255, 1 / 250, 2)
            assert file.transform == reading.grid.transform
            assert file.crs.to_epsg() == 32633
    assert np.array_equal(images[0], images[1])
    assert len(np.unique(images[0][0])) > 10


def test_where_clouds_hide_the_optics_the_radar_answers_and_the_map_says_so(
    whole_reading: Reading,
) -> None:
    mapped = _whole(whole_reading, 32, 1000)[0]
    table = mapped.cells
    cloudy = table["sensors"] == "descending+ascending"
    assert cloudy.any() and (table["sensors"] == "optical+descending+ascending").any()
    first = table[cloudy].iloc[0]
    at = (int(first["row"]) * 32 + 16, int(first["column"]) * 32 + 16)
    assert mapped.flags[at] & Flag.NO_OPTICAL
    assert not mapped.flags[at] & Flag.NO_DESCENDING


class _Drawn:
    """A scene of two channels with a pattern of pixels without data."""

    channels = ("red", "desc_vv")

    def __init__(self, height: int, width: int, seed: int) -> None:
        rng = np.random.default_rng(seed)
        self.pixels = rng.normal(1000, 300, (2, height, width)).astype(np.float32)
        for _ in range(rng.integers(0, 5)):
            top, left = rng.integers(0, height), rng.integers(0, width)
            where = rng.choice([slice(0, 1), slice(1, 2), slice(None)])
            self.pixels[where, top : top + rng.integers(1, 80), left : left + 90] = np.nan

    def read(self, row: int, column: int, height: int, width: int) -> Pixels:
        found = np.full((2, height, width), np.nan, np.float32)
        own = self.pixels[:, row : row + height, column : column + width]
        found[:, : own.shape[1], : own.shape[2]] = own
        flags = np.isnan(found).all(axis=0) * np.uint8(Flag.NODATA)
        return Pixels(channels=found, flags=flags)


@given(
    height=st.integers(1, 90), width=st.integers(1, 90), stride=st.integers(8, 64),
    pixels=st.integers(20, 100), rule=st.sampled_from(["centre", "mean", "min"]),
    seed=st.integers(0, 2**32 - 1),
)  # fmt: skip
@settings(max_examples=25, deadline=None)
def test_whatever_has_no_data_every_cell_is_there_once_and_tiles_agree_with_the_whole(
    height: int, width: int, stride: int, pixels: int, rule: Any, seed: int
) -> None:
    scene = _Drawn(height, width, seed)
    cells = Cells(height=height, width=width, patch=64, stride=stride)
    unused: Any = None
    with mock.patch("landslip.scene.tiles.open_scene", lambda _: nullcontext(scene)):
        (whole,) = (map_tile(unused, cells, tile, rule, plain_bundle)
                    for tile in cut_tiles(cells, 10_000))  # fmt: skip
        parts = [(tile, map_tile(unused, cells, tile, rule, plain_bundle))
                 for tile in cut_tiles(cells, pixels)]  # fmt: skip
    image, times = np.zeros((height, width), np.uint8), np.zeros((height, width), int)
    for tile, mapped in parts:
        row, column, rows, columns = pixel_extent(cells, tile)
        image[row : row + rows, column : column + columns] = mapped.probability
        times[row : row + rows, column : column + columns] += 1
    assert (times == 1).all() and np.array_equal(image, whole.probability)
    table = pd.concat([mapped.cells for _, mapped in parts]).sort_values(["row", "column"])
    assert table[["row", "column"]].to_numpy().tolist() == [
        [row, column] for row in range(cells.rows) for column in range(cells.columns)
    ]
    assert np.array_equal(table["probability"], whole.cells["probability"], equal_nan=True)
    assert (image[np.isnan(scene.pixels).all(axis=0)] == 255).all()


def test_painting_repeats_cells_and_cuts_the_last() -> None:
    cells = np.array([[1.0, 2.0], [3.0, 4.0]])
    assert paint(cells, 2, 3, 3).tolist() == [[1, 1, 2], [1, 1, 2], [3, 3, 4]]
