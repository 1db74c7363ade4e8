"""Windows are read a row of blocks at a time, which changes how often files are read, no more."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import rasterio
from inventory.made_scenes import ORDER, SIZE, Looked, list_windows

from landslip.data.nodata import NoData
from landslip.data.survey import Survey, survey_patches
from landslip.inventory import reader as module
from landslip.inventory.negatives import Negatives
from landslip.inventory.reader import WindowReader, open_windows
from landslip.scene.reader import Blocks, Reading, SceneReader, open_scene
from stores import write_store

NO_DATA = NoData([(-1e5, 1e5)] * len(ORDER), [[]] * len(ORDER))
BLOCKS = Blocks(first_row=-16, first_column=32, height=64, width=96)


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks of which a scene has several, which no window fits, and a run for each row of them."""
    monkeypatch.setattr(SceneReader, "blocks", lambda self, least: BLOCKS)
    for name in ("survey", "store_write"):
        monkeypatch.setattr(f"landslip.data.{name}._CHUNK", 1)


@pytest.fixture
def listing(scenes: list[Looked], tmp_path: Path) -> pd.DataFrame:
    return list_windows(tmp_path, scenes, negatives=Negatives(share=1.0))[0]


@pytest.fixture
def windows(scenes: list[Looked]) -> WindowReader:
    return open_windows([each.record for each in scenes], ORDER)


def survey(windows: WindowReader, listing: pd.DataFrame) -> Survey:
    return survey_patches(
        listing, reader=windows, of=len(listing), channels=len(ORDER), shape=(SIZE, SIZE),
        no_data=NO_DATA, workers=1,
    )  # fmt: skip


def test_a_run_is_a_row_of_blocks_and_every_window_is_in_one(
    small_blocks: None, windows: WindowReader, listing: pd.DataFrame
):
    runs = windows.runs(listing, 1)
    assert sorted(np.concatenate(runs)) == list(range(len(listing)))
    rows = []
    for run in runs:
        of = listing.iloc[run]
        assert of["path"].nunique() == 1
        (down,) = set((of["row"] - BLOCKS.first_row) // BLOCKS.height)
        rows.append((of["path"].iloc[0], down))
        across = (of["column"] - BLOCKS.first_column) // BLOCKS.width
        assert across.is_monotonic_increasing
        assert across.nunique() > 1
    assert len(set(rows)) == len(rows) > 2 * listing["path"].nunique()
    # With more windows a run, whole rows are joined.
    joined = windows.runs(listing, 20)
    np.testing.assert_array_equal(np.concatenate(joined), np.concatenate(runs))
    assert all(len(run) >= 20 for run in joined[:-1]) and len(joined) < len(runs)


def test_a_survey_opens_a_scene_for_a_row_of_blocks_and_finds_the_same(
    request: pytest.FixtureRequest,
    windows: WindowReader,
    listing: pd.DataFrame,
    monkeypatch: pytest.MonkeyPatch,
):
    whole = survey(windows, listing)
    request.getfixturevalue("small_blocks")
    opened = []

    @contextmanager
    def counted(reading: Reading) -> Iterator[SceneReader]:
        opened.append(reading)
        with open_scene(reading) as scene:
            yield scene

    monkeypatch.setattr(module, "open_scene", counted)
    parts = survey(windows, listing)
    for field in fields(Survey):
        one, other = getattr(parts, field.name), getattr(whole, field.name)
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other, field.name)
    # Once more for each scene, to see its blocks.
    runs, of_scenes = windows.runs(listing, 1), listing["path"].nunique()
    assert len(opened) - of_scenes == len(runs) + of_scenes


def test_a_store_has_the_same_bytes_however_its_windows_are_read(
    request: pytest.FixtureRequest, windows: WindowReader, listing: pd.DataFrame, tmp_path: Path
):
    manifest = listing.assign(sha256=survey(windows, listing).sha256)

    def written(name: str) -> dict[str, bytes]:
        write_store(
            manifest, channels=ORDER, indices={"ndvi": ("nir", "red")}, on_nonfinite="fill",
            workers=1, patches_per_shard=len(manifest), reader=windows,
            target=tmp_path / name / "train.h5", no_data=NO_DATA,
        )  # fmt: skip
        files = (tmp_path / name).rglob("*.h5")
        return {str(path.relative_to(tmp_path / name)): path.read_bytes() for path in files}

    whole = written("whole")
    request.getfixturevalue("small_blocks")
    assert written("parts") == whole


def test_blocks_are_whole_ones_of_the_file_with_the_largest(windows: WindowReader):
    reading = next(iter(windows.readings.values()))
    shapes = []
    for path in reading.layers.files:
        with rasterio.open(path) as file:
            shapes += file.block_shapes
    height, width = np.max(shapes, axis=0)
    with open_scene(reading) as scene:
        blocks = scene.blocks(300)
    assert blocks == (0, 0, -(-300 // height) * height, -(-300 // width) * width)
