"""What a map's folder holds: zones, blind spots, units, false alarms, item, page."""

import json
import re
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import geopandas
import numpy as np
import pandas as pd
import pystac
import pytest
import rasterio
import scipy.ndimage
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pystac.validation.local_validator import LocalValidator
from rasterio.features import rasterize
from rio_cogeo import cog_validate
from scene.plain_bundle import plain_bundle
from scene.simulated_scene import CONVENTIONS

from landslip.io.files import InputError, read_json
from landslip.scene.cells import Cells
from landslip.scene.false_alarms import measure_false_alarms
from landslip.scene.findings import read_cells, write_findings
from landslip.scene.item import verify_map, write_item
from landslip.scene.mosaic import write_mosaic
from landslip.scene.page import write_page
from landslip.scene.plan import MapPlan, MapSettings, plan_map, read_plan
from landslip.scene.rasters import Grid
from landslip.scene.tiles import map_tile, write_tile
from landslip.scene.zones import CAUSES, find_blind_spots, find_zones, seen_areas

GRID = Grid(crs="EPSG:32633", left=4e5, top=5.2e6, across=10, down=10, width=320, height=200)
CELLS = Cells(height=200, width=320, patch=64, stride=32)


@dataclass
class MadeMap:
    """A map by the stand-in bundle."""

    folder: Path
    plan: MapPlan
    tables: list[Path]


def make_map(scene: Path, folder: Path, run: str) -> MadeMap:
    path = folder / f"{run}.json"
    plan_map(
        scene / "scene.yaml", CONVENTIONS, MapSettings(stride=None, rule="centre", tile=160),
        patch=64, placebo=run == "placebo", plan=path, checks=folder / f"{run}_checks.json",
    )  # fmt: skip
    plan = read_plan(path)
    images, tables = [], []
    for tile in plan.tiles:
        images.append(folder / f"{run}{tile.number}.tif")
        tables.append(folder / f"{run}{tile.number}.parquet")
        mapped = map_tile(plan.reading, plan.cells, tile, plan.rule, plain_bundle)
        write_tile(mapped, plan.reading, plan.cells, tile, images[-1], tables[-1])
    target = folder / f"{run}.tif"
    write_mosaic(images, plan.tiles, plan.reading.grid, plan.cells, {}, target)
    return MadeMap(folder=folder, plan=plan, tables=tables)


@pytest.fixture(scope="module")
def made(made_scene: Path, tmp_path_factory: pytest.TempPathFactory) -> MadeMap:
    folder = tmp_path_factory.mktemp("map")
    event, quiet = (make_map(made_scene, folder, run) for run in ("event", "placebo"))
    write_findings(
        event.plan, event.tables, quiet.plan, quiet.tables, plain_bundle,
        target=folder / "zones.gpkg", facts=folder / "findings.json",
    )  # fmt: skip
    return event


def test_the_raster_is_cloud_optimized(made: MadeMap) -> None:
    valid, errors, warnings = cog_validate(str(made.folder / "event.tif"), strict=True)
    assert (valid, errors, warnings) == (True, [], [])


def test_zones_in_geopandas_hold_what_the_raster_says(made: MadeMap) -> None:
    zones = geopandas.read_file(made.folder / "zones.gpkg", layer="zones")
    assert len(zones)
    assert "zone_km2" in zones and not [name for name in zones if "landslide" in name]
    assert (zones["verdict"] == "").all()
    assert zones["probability"].is_monotonic_decreasing
    with rasterio.open(made.folder / "event.tif") as file:
        steps, transform = file.read(1).astype(float), file.transform
        seen = np.where(steps == 255, np.nan, steps / 250)
    numbered = [(shape, at) for at, shape in enumerate(zones.geometry, start=1)]
    inside = rasterize(numbered, out_shape=seen.shape, transform=transform)
    for at, zone in enumerate(zones.itertuples(), start=1):
        assert np.nanmax(seen[inside == at]) == pytest.approx(zone.probability, abs=0.002)
    assert np.nanmin(seen[inside > 0]) >= 0.498
    assert np.nanmax(np.where(inside == 0, seen, np.nan)) <= 0.502
    assert zones.to_crs(zones.estimate_utm_crs()).area.to_numpy() / 1e6 == pytest.approx(
        zones["zone_km2"].to_numpy(), rel=2e-3
    )


def test_a_named_threshold_takes_the_place_of_the_bundles(made: MadeMap, tmp_path: Path) -> None:
    usual = geopandas.read_file(made.folder / "zones.gpkg", layer="zones")
    assert (usual["scene"] == made.plan.name).all() and (usual["event"] == made.plan.event).all()
    named = float(usual["probability"].quantile(0.6))
    write_findings(
        made.plan, made.tables, None, [], plain_bundle, threshold=named,
        target=tmp_path / "zones.gpkg", facts=tmp_path / "findings.json",
    )  # fmt: skip
    zones = geopandas.read_file(tmp_path / "zones.gpkg", layer="zones")
    table = read_cells(made.plan, made.tables)
    assert len(zones) > 0
    assert zones["cells"].sum() == (table["probability"] > named).sum()
    assert (zones["threshold"] == named).all()
    assert read_json(tmp_path / "findings.json")["thresholds"] == [round(named, 6)]


def test_the_higher_of_a_named_threshold_and_the_placebos_is_in_force(
    made: MadeMap, tmp_path: Path
) -> None:
    quiet = read_plan(made.folder / "placebo.json")
    tables = [path.with_name(path.name.replace("event", "placebo")) for path in made.tables]
    alarms = measure_false_alarms(read_cells(quiet, tables), quiet.reading.grid, quiet.cells, 5.0)
    asked = alarms.threshold
    assert asked is not None and 0 < asked < 1
    for named, expected in ((asked / 2, asked), ((asked + 1) / 2, (asked + 1) / 2)):
        write_findings(
            replace(made.plan, per_100km2=5.0), made.tables, quiet, tables, plain_bundle,
            threshold=named, target=tmp_path / "zones.gpkg", facts=tmp_path / "findings.json",
        )  # fmt: skip
        assert read_json(tmp_path / "findings.json")["threshold"] == expected


def test_what_a_sensor_brought_is_the_change_without_it(made: MadeMap) -> None:
    zones = geopandas.read_file(made.folder / "zones.gpkg", layer="zones")
    for sensor in ("optical", "descending", "ascending"):
        spoke = zones["sensors"].str.contains(sensor)
        assert zones.loc[spoke, f"gain_{sensor}"].notna().all()


def test_layers_bring_their_styles(made: MadeMap) -> None:
    layers = geopandas.list_layers(made.folder / "zones.gpkg")["name"].tolist()
    assert layers == ["zones", "blind_spots", "units", "layer_styles"]
    styles = geopandas.read_file(made.folder / "zones.gpkg", layer="layer_styles")
    assert styles["f_table_name"].tolist() == ["zones", "blind_spots", "units"]
    assert styles["styleQML"].str.contains("<qgis").all()


def test_units_share_the_scene_out(made: MadeMap) -> None:
    units = geopandas.read_file(made.folder / "zones.gpkg", layer="units")
    table = read_cells(made.plan, made.tables)
    areas = seen_areas(table, made.plan.reading.grid, made.plan.cells)
    assert units["km2"].sum() == pytest.approx(areas["scene"])
    assert units["blind_km2"].sum() == pytest.approx(areas["scene"] - areas["seen"])
    zones = geopandas.read_file(made.folder / "zones.gpkg", layer="zones")
    assert units["zones"].sum() == len(zones)


def test_a_cell_that_is_missing_or_doubled_is_refused(made: MadeMap) -> None:
    for tables in (made.tables[1:], [*made.tables, made.tables[0]]):
        with pytest.raises(InputError, match=r"cell in row \d+, column \d+ stands (0|2) times"):
            read_cells(made.plan, tables)


def test_the_item_is_valid_and_names_what_is_beside_it(made: MadeMap, tmp_path: Path) -> None:
    path = tmp_path / "item.json"
    write_item(
        name="Valley of Ö", event="2024-06-14", dates=["2024-05-01"], facts={"stride": 32},
        grid=made.plan.reading.grid, probability=made.folder / "event.tif",
        zones=made.folder / "zones.gpkg", target=path,
    )  # fmt: skip
    said = json.loads(path.read_text())
    assert LocalValidator().item_validator(said["stac_version"]).is_valid(said)
    item = pystac.Item.from_dict(said)
    assert item.assets["probability"].media_type == pystac.MediaType.COG
    assert item.properties["proj:code"] == "EPSG:32633"
    west, south, east, north = item.bbox or []
    assert 13 < west < east < 15 and 46 < south < north < 48


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ("UPDATE zones SET verdict = 'yes'", None),
        ("PRAGMA journal_mode = WAL", None),
        ("UPDATE zones SET probability = 0.123 WHERE rank = 1", "zones.gpkg"),
        ("UPDATE units SET name = 'x'", "zones.gpkg"),
        (b"\x01", "probability.tif"),
    ],
)
def test_a_map_that_changed_is_told_from_one_that_was_opened_or_reviewed(
    change: str | bytes, named: str | None, made: MadeMap, tmp_path: Path
) -> None:
    raster, zones = tmp_path / "probability.tif", tmp_path / "zones.gpkg"
    shutil.copy(made.folder / "event.tif", raster)
    shutil.copy(made.folder / "zones.gpkg", zones)
    write_item(
        name="Hill", event="2024-06-14", dates=[], facts={}, grid=made.plan.reading.grid,
        probability=raster, zones=zones, target=tmp_path / "item.json",
    )  # fmt: skip
    verify_map(tmp_path)
    if isinstance(change, bytes):
        raster.write_bytes(raster.read_bytes()[:-1] + change)
    else:
        with closing(sqlite3.connect(zones)) as base, base:
            # Of the index only GDAL knows the functions.
            for (name,) in base.execute(
                "SELECT name FROM sqlite_master WHERE type = 'trigger'"
            ).fetchall():
                base.execute(f'DROP TRIGGER "{name}"')
            base.execute(change)
    if named is None:
        verify_map(tmp_path)
    else:
        with pytest.raises(InputError, match=rf"{named} changed since the map was made"):
            verify_map(tmp_path)


def test_the_page_needs_nothing_from_elsewhere(made: MadeMap, tmp_path: Path) -> None:
    path = tmp_path / "map.html"
    write_page(
        made.plan, probability=made.folder / "event.tif",
        findings=made.folder / "findings.json", checks=made.folder / "event_checks.json",
        drift={"words": "No drift.", "rows": [], "limit": 0.1}, bundle={"name": "<plain>"},
        made={"stride": "32"}, target=path,
    )  # fmt: skip
    page = path.read_text()
    assert not re.findall(r"""(?:src|href)=["'](?!data:|#)""", page)
    assert "&lt;plain&gt;" in page and "<plain>" not in page
    facts = read_json(made.folder / "findings.json")
    assert page.count('class="zone"') == len(facts["zones"])
    assert all(check["check"] in page for check in read_json(made.folder / "event_checks.json"))
    assert "per 100 km²" in page


def test_no_text_on_the_page_is_taken_for_markup(
    made: MadeMap, tmp_path: Path, planted: Callable[[Path], None]
) -> None:
    rows = [{"channel": "red", "scene": 2.0, "training": 1.0, "outside": 0.2}]
    write_page(
        made.plan, probability=made.folder / "event.tif",
        findings=made.folder / "findings.json", checks=made.folder / "event_checks.json",
        drift={"words": "Much drift.", "rows": rows, "limit": 0.1}, bundle={"name": "plain"},
        made={"stride": "32"}, target=tmp_path / "map.html",
    )  # fmt: skip
    planted(tmp_path / "map.html")


def _table(probability: np.ndarray, **columns: object) -> pd.DataFrame:
    rows, at = np.mgrid[: CELLS.rows, : CELLS.columns]
    table = pd.DataFrame(
        {
            "row": rows.ravel(), "column": at.ravel(), "probability": probability.ravel(),
            "threshold": 0.5, "sensors": "optical", "observed": 1.0, "cloud": 0.0,
            "layover": 0.0, "water": 0.0,
        }
    )  # fmt: skip
    return table.assign(**{name: np.ravel(values) for name, values in columns.items()})


@given(st.integers(0, 200))
@settings(max_examples=40)
def test_zones_are_the_connected_cells_above_the_threshold(seed: int) -> None:
    rng = np.random.default_rng(seed)
    probability = rng.random((CELLS.rows, CELLS.columns)) ** 2
    probability[rng.random(probability.shape) < 0.1] = np.nan
    zones = find_zones(_table(probability), GRID, CELLS)
    above = np.nan_to_num(probability) > 0.5
    labels, count = scipy.ndimage.label(above, np.ones((3, 3)))
    assert len(zones) == count
    for zone in zones.itertuples():
        peak = (zone.peak_row, zone.peak_column)
        own = probability[(labels == labels[peak]) & above]
        assert (zone.cells, zone.mean_probability) == (own.size, own.mean())
        assert zone.probability == own.max() == probability[peak]
    assert zones["cells"].sum() == above.sum()
    assert zones["rank"].tolist() == list(range(1, len(zones) + 1))


def test_blind_spots_say_why_and_add_up() -> None:
    shape = (CELLS.rows, CELLS.columns)
    probability = np.full(shape, 0.1)
    observed, cloud, layover = np.ones(shape), np.zeros(shape), np.zeros(shape)
    observed[0], observed[2], observed[4] = 0, 0, 0
    cloud[2], layover[4] = 1, 1
    probability[observed == 0] = np.nan
    probability[6] = np.nan
    table = _table(probability, observed=observed, cloud=cloud, layover=layover)
    blind = find_blind_spots(table, GRID, CELLS)
    assert blind["cause"].tolist() == ["no data", "cloud", "layover", "no member"]
    areas = seen_areas(table, GRID, CELLS)
    for cause in CAUSES:
        assert blind.loc[blind["cause"] == cause, "km2"].sum() == pytest.approx(
            areas[cause], rel=1e-3
        )
    assert blind["share"].sum() == pytest.approx(1 - areas["seen"] / areas["scene"], rel=1e-3)


@given(st.integers(0, 50), st.floats(0.5, 60))
@settings(max_examples=12)
def test_the_threshold_for_false_alarms_keeps_its_promise(seed: int, asked: float) -> None:
    rng = np.random.default_rng(seed)
    probability = rng.random((CELLS.rows, CELLS.columns))
    found = measure_false_alarms(_table(probability), GRID, CELLS, asked)
    assert found.threshold is not None
    for threshold in np.linspace(found.threshold, 1, 7):
        zones = find_zones(_table(probability), GRID, CELLS, threshold)
        assert len(zones) / found.seen_km2 * 100 <= asked


def test_stride_larger_than_a_patch_is_refused(made_scene: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"scene\.stride is 65"):
        plan_map(
            made_scene / "scene.yaml", CONVENTIONS,
            MapSettings(stride=65, rule="centre", tile=160), patch=64, placebo=False,
            plan=tmp_path / "plan.json", checks=tmp_path / "checks.json",
        )  # fmt: skip


def test_a_damaged_plan_is_named(made: MadeMap, tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    assert read_plan(made.folder / "event.json") == made.plan
    said = yaml.safe_load((made.folder / "event.json").read_text())
    del said["cells"]["stride"]
    path.write_text(json.dumps(said))
    with pytest.raises(InputError, match=r"plan\.json is damaged.*stride"):
        read_plan(path)
    assert replace(made.plan, name="x") != made.plan
