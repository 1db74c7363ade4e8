"""A sample of a map's cells: how it is drawn, and which filled ones are refused."""

import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import geopandas
import numpy as np
import pandas as pd
import pytest
from assess.made_map import CELLS, GRID, THRESHOLD, UNITS, cell_table, write_map

from landslip.assess.accuracy import write_accuracy
from landslip.assess.filled import read_labels
from landslip.assess.population import read_map
from landslip.assess.sample import SampleSettings, draw_sample, read_design, stratify
from landslip.io.files import InputError, read_json, read_parquet
from landslip.scene.zones import cell_areas

SETTINGS = SampleSettings(
    cells={"zone": 60, "near": 50, "far": 70}, near=0.2, by_unit=False, confidence=0.95, seed=5
)


def draw(folder: Path, target: Path, settings: SampleSettings = SETTINGS) -> Path:
    draw_sample(
        folder, settings, sample=target / "sample.gpkg", drawn=target / "drawn.parquet",
        design=target / "design.json",
    )  # fmt: skip
    return target


@pytest.fixture(scope="module")
def map_folder(tmp_path_factory) -> Path:
    return write_map(tmp_path_factory.mktemp("assess") / "map")


@pytest.fixture(scope="module")
def sample(map_folder: Path, tmp_path_factory) -> Path:
    return draw(map_folder, tmp_path_factory.mktemp("sample"))


def truth_of(rows: pd.Series, columns: pd.Series) -> np.ndarray:
    """Where slides are: most cells above 0.65, and a few that nobody could guess."""
    table = cell_table().set_index(["row", "column"])["probability"]
    probability = table.reindex(list(zip(rows, columns, strict=True))).to_numpy()
    return (probability > 0.65) | ((rows * 7 + columns * 3) % 29 == 0).to_numpy()


def fill(sample: Path, target: Path, change: Callable | None = None) -> Path:
    """Label a copy of a sample by the truth, and change it."""
    table = geopandas.read_file(sample / "sample.gpkg")
    table["label"] = np.where(truth_of(table["row"], table["column"]), "yes", "no")
    table = table if change is None else change(table)
    path = target / "filled.gpkg"
    table.to_file(path, layer="sample")
    return path


def test_a_finished_map_says_of_each_cell_what_its_tiles_said(map_folder: Path):
    found, table = read_map(map_folder), cell_table()
    shape = (CELLS.rows, CELLS.columns)
    probability = table["probability"].to_numpy().reshape(shape)
    assert np.allclose(found.probability, probability, equal_nan=True)
    assert (found.zone == (np.nan_to_num(probability) > THRESHOLD)).all()
    assert (found.seen == ~np.isnan(probability)).all()
    assert found.area.sum() == pytest.approx(cell_areas(GRID, CELLS).sum())
    assert set(np.unique(found.unit)) == {1, 2}


def test_every_cell_that_the_map_speaks_of_is_in_one_stratum(map_folder: Path):
    found = read_map(map_folder)
    strata = stratify(found, 0.2, by_unit=False)
    assert ((strata != "") == found.seen).all()
    assert ((strata == "zone") == found.zone).all()
    below = found.seen & ~found.zone
    assert (strata == "near").sum() == pytest.approx(0.2 * below.sum(), rel=0.1)
    assert found.probability[strata == "near"].min() > found.probability[strata == "far"].max()


def test_the_design_tells_the_weights(sample: Path, map_folder: Path):
    table, design = read_parquet(sample / "drawn.parquet"), read_design(sample / "design.json")
    assert [each["name"] for each in design["strata"]] == ["zone", "near", "far"]
    for each in design["strata"]:
        own = table[table["stratum"] == each["name"]]
        assert len(own) == each["drawn"] == SETTINGS.cells[each["name"]]
        assert own["inclusion_probability"].to_numpy() == pytest.approx(
            each["drawn"] / each["cells"]
        )
    assert (1 / table["inclusion_probability"]).sum() == pytest.approx(
        read_map(map_folder).seen.sum()
    )
    assert not table.duplicated(["row", "column"]).any()


def test_a_window_is_the_patch_that_scored_its_cell(sample: Path):
    table = geopandas.read_file(sample / "sample.gpkg")
    side = CELLS.patch * GRID.across
    assert table.geometry.area.to_numpy() == pytest.approx(side**2)
    inner = table[table["row"].between(2, CELLS.rows - 3)].iloc[0]
    top = GRID.top - (inner["row"] + 0.5) * CELLS.stride * GRID.down
    assert inner.geometry.centroid.y == pytest.approx(top)
    assert (table["label"].fillna("") == "").all()
    assert "probability" not in table


def test_rows_stand_in_an_order_that_tells_no_stratum(sample: Path):
    strata = geopandas.read_file(sample / "sample.gpkg")["stratum"]
    assert (strata != strata.shift()).sum() > 60


def test_the_same_seed_draws_the_same_cells_and_another_others(
    map_folder: Path, sample: Path, tmp_path: Path
):
    again = draw(map_folder, tmp_path / "again")
    other = draw(map_folder, tmp_path / "other", replace(SETTINGS, seed=6))
    first = read_parquet(sample / "drawn.parquet")
    assert first.equals(read_parquet(again / "drawn.parquet"))
    assert set(first["id"]) != set(read_parquet(other / "drawn.parquet")["id"])


def test_a_small_stratum_is_drawn_whole(map_folder: Path, tmp_path: Path):
    cells = {**SETTINGS.cells, "near": 10_000}
    target = draw(map_folder, tmp_path / "whole", replace(SETTINGS, cells=cells))
    near = read_design(target / "design.json")["strata"][1]
    assert near["drawn"] == near["cells"] < 10_000


def test_units_can_be_strata(map_folder: Path, tmp_path: Path):
    target = draw(map_folder, tmp_path / "units", replace(SETTINGS, by_unit=True))
    design = read_design(target / "design.json")
    assert [each["name"] for each in design["strata"]] == [
        f"{unit}: {level}" for unit in UNITS for level in ("zone", "near", "far")
    ]
    assert {each["drawn"] for each in design["strata"]} == {60, 50, 70}


def test_units_cannot_be_strata_of_a_map_without(tmp_path: Path):
    folder = write_map(tmp_path / "map", with_units=False)
    with pytest.raises(InputError, match="has no administrative units"):
        draw(folder, tmp_path, replace(SETTINGS, by_unit=True))


def test_units_without_names_are_refused(tmp_path: Path):
    vectors = write_map(tmp_path / "map") / "zones.gpkg"
    with sqlite3.connect(vectors) as database:
        database.execute("ALTER TABLE units RENAME COLUMN name TO called")
    with pytest.raises(InputError, match=r"zones\.gpkg: units lack the column name"):
        read_map(tmp_path / "map")


def test_a_folder_without_a_map_is_refused(tmp_path: Path):
    with pytest.raises(InputError, match=r"probability\.tif is not there"):
        draw(tmp_path, tmp_path)


def test_a_raster_that_does_not_tell_its_cells_is_refused(tmp_path: Path):
    folder = write_map(tmp_path / "map", tags={"STRIDE": "4"})
    with pytest.raises(InputError, match="tags PATCH"):
        draw(folder, tmp_path)


def test_no_text_on_the_page_is_taken_for_markup(
    sample: Path, tmp_path: Path, planted: Callable[[Path], None]
):
    write_accuracy(
        fill(sample, tmp_path), sample / "drawn.parquet", sample / "design.json",
        target=tmp_path / "accuracy.json", page=tmp_path / "accuracy.html",
    )  # fmt: skip
    planted(tmp_path / "accuracy.html")


def test_a_filled_sample_gives_accuracy_and_area(sample: Path, tmp_path: Path, map_folder: Path):
    target, page = tmp_path / "accuracy.json", tmp_path / "accuracy.html"
    write_accuracy(
        fill(sample, tmp_path), sample / "drawn.parquet", sample / "design.json",
        target=target, page=page,
    )  # fmt: skip
    found, whole = read_json(target), read_map(map_folder)
    rows, columns = (pd.Series(axis.ravel()) for axis in np.indices(whole.zone.shape))
    slide = truth_of(rows, columns).reshape(whole.zone.shape) & whole.seen
    area = whole.area
    true = {
        "slide_km2": area[slide].sum(),
        "users": area[slide & whole.zone].sum() / area[whole.zone].sum(),
        "producers": area[slide & whole.zone].sum() / area[slide].sum(),
    }
    got = {"slide_km2": found["slide_km2"], **found["landslide"]}
    for name, value in true.items():
        assert abs(got[name]["value"] - value) < 3 * got[name]["error"], name
        assert got[name]["error"] > 0
    assert found["zone_km2"] == pytest.approx(area[whole.zone].sum())
    assert found["unseen_km2"] == pytest.approx(area[~whole.seen].sum())
    assert [each["name"] for each in found["units"]] == list(UNITS)
    text = page.read_text()
    assert "Hill: accuracy of the map" in text and "http" not in text


def test_a_stratum_without_a_slide_is_not_called_free_of_slides(sample: Path, tmp_path: Path):
    def none_far(table):
        table.loc[table["stratum"] == "far", "label"] = "no"
        return table

    target = tmp_path / "accuracy.json"
    write_accuracy(
        fill(sample, tmp_path, none_far), sample / "drawn.parquet", sample / "design.json",
        target=target, page=tmp_path / "page.html",
    )  # fmt: skip
    far = read_json(target)["strata"][2]
    assert far["share"] == [0, pytest.approx(1 - 0.025 ** (1 / 70))]
    assert any("stratum far" in each for each in read_json(target)["warnings"])


def _set(column: str, value: object, rows: int = 3) -> Callable:
    def change(table):
        table.loc[table.index[:rows], column] = value
        return table

    return change


def _add(table):
    extra = table.iloc[:2].assign(id=["r0c0", "r0c1"], inclusion_probability=0.5)
    return pd.concat([table, extra], ignore_index=True)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (_add, "2 cells were not drawn: r0c0, r0c1"),
        (lambda table: table.iloc[5:], "5 of 180 drawn cells are missing"),
        (lambda table: pd.concat([table, table.iloc[:4]]), "4 cells stand there more than once"),
        (lambda table: pd.concat([table, table.iloc[:2].assign(id=None)]), "2 rows have no id"),
        (_set("inclusion_probability", np.nan), "3 cells have no inclusion_probability"),
        (_set("inclusion_probability", 0.5), "3 cells have another inclusion_probability"),
        (_set("stratum", "elsewhere"), "3 cells have another stratum"),
        (_set("row", 1000), "3 cells have another row"),
    ],
)
def test_a_sample_that_was_not_drawn_by_probability_is_refused_with_counts(
    sample: Path, tmp_path: Path, change: Callable, says: str
):
    path = fill(sample, tmp_path, change)
    with pytest.raises(InputError, match="is not the sample that was drawn") as error:
        read_labels(path, read_parquet(sample / "drawn.parquet"))
    assert says in str(error.value)


def test_a_sample_of_another_map_is_refused(sample: Path, map_folder: Path, tmp_path: Path):
    other = draw(map_folder, tmp_path / "other", replace(SETTINGS, seed=6))
    with pytest.raises(InputError, match="cells were not drawn"):
        read_labels(fill(other, tmp_path), read_parquet(sample / "drawn.parquet"))


def test_columns_that_were_taken_out_are_named(sample: Path, tmp_path: Path):
    path = fill(sample, tmp_path, lambda table: table.drop(columns=["inclusion_probability"]))
    with pytest.raises(InputError, match="lacks the columns inclusion_probability"):
        read_labels(path, read_parquet(sample / "drawn.parquet"))


def test_cells_without_a_label_and_labels_that_mean_nothing_are_named(sample: Path, tmp_path: Path):
    def change(table):
        table.loc[table.index[:2], "label"] = ""
        table.loc[table.index[2], "label"] = "perhaps"
        return table

    path = fill(sample, tmp_path, change)
    first = list(geopandas.read_file(path)["id"][:3])
    with pytest.raises(InputError) as error:
        read_labels(path, read_parquet(sample / "drawn.parquet"))
    assert f"2 of 180 cells have no label: {first[0]}, {first[1]}" in str(error.value)
    assert f"{first[2]} (perhaps)" in str(error.value)


SPELT = [(1, 0), (1.0, 0.0), (True, False), ("Landslide", "NONE"), ("1.000000", "0,00")]


@pytest.mark.parametrize(("yes", "no"), SPELT)
def test_labels_may_be_numbers_or_words(sample: Path, tmp_path: Path, yes: object, no: object):
    def change(table):
        return table.assign(label=[yes if each == "yes" else no for each in table["label"]])

    drawn = read_parquet(sample / "drawn.parquet")
    expected = truth_of(drawn["row"], drawn["column"])
    assert (read_labels(fill(sample, tmp_path, change), drawn) == expected).all()
