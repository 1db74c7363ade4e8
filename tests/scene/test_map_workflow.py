"""From a scene file and a bundle to the map's folder, through Snakemake."""

import os
import re
import shutil
import signal
import time
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from subprocess import CompletedProcess

import geopandas
import numpy as np
import pandas as pd
import pytest
import rasterio
import yaml
from browser import NEEDED, Browser, browser
from damage import Job, jobs_in, rules_in, unguarded
from rio_cogeo import cog_validate
from scene.simulated_scene import COLUMNS, ROWS

from landslip import load
from landslip.assess.population import read_map
from landslip.io.files import read_json
from landslip.scene.ask import predict_with
from landslip.scene.plan import read_plan
from landslip.scene.reader import Flag, open_scene
from made_bundle import Made, make_bundle
from runs import snakemake, start_snakemake

STRIDE = 24
SCENE = "scene/scene.yaml"
SETTINGS = {"stride": STRIDE, "tile": 192}
FILES = {
    "probability.tif", "zones.gpkg", "item.json", "map.html", "checks.json", "drift.json",
    "style.qml",
}  # fmt: skip


# Where a path of the drawing is filled, in the window, once it is scrolled to.
WITHIN = """
const path = document.querySelector(arguments[0]), box = path.getBBox();
document.querySelector(".viewer").scrollIntoView({block: "center"});
for (let i = 0; i < 400; i++) {
  const point = new DOMPoint(box.x + box.width * ((i % 20) + 0.5) / 20,
                             box.y + box.height * (Math.floor(i / 20) + 0.5) / 20);
  if (path.isPointInFill(point)) {
    const there = point.matrixTransform(path.getScreenCTM());
    return [Math.round(there.x), Math.round(there.y)];
  }
}
"""


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return make_bundle(tmp_path_factory.mktemp("bundle"))


def _config(bundle: Made) -> dict[str, object]:
    return {
        "results": "out",
        "bundle": str(bundle.bundle),
        "scene": {"path": SCENE, **SETTINGS},
    }


@dataclass(frozen=True)
class Interrupted:
    """A map whose run was killed once a tile was there, and runs that were started beside it."""

    folder: Path
    same: CompletedProcess[str]
    """A second run in the same folder, while the first was at work."""
    elsewhere: CompletedProcess[str]
    """One of another folder with the same results."""
    together: list[CompletedProcess[str]]
    """After the kill, two runs started at once."""


def _at_once(*runs: Callable[[], CompletedProcess[str]]) -> list[CompletedProcess[str]]:
    with ThreadPoolExecutor(len(runs)) as pool:
        return [each.result() for each in [pool.submit(run) for run in runs]]


@pytest.fixture(scope="module")
def interrupted(
    bundle: Made, made_scene: Path, tmp_path_factory: pytest.TempPathFactory
) -> Interrupted:
    folder: Path = tmp_path_factory.mktemp("run")
    other: Path = tmp_path_factory.mktemp("other")
    shutil.copytree(made_scene, folder / "scene")
    config = _config(bundle)
    again = partial(snakemake, folder, "--", "map", config=config)
    paths = {"results": str(folder / "out"), "scene": {**SETTINGS, "path": str(folder / SCENE)}}
    tiles = folder / "out" / "scene" / "event" / "tiles"
    run = start_snakemake(folder, "--", "map", config=config)
    while run.poll() is None and not list(tiles.glob("[!.]*.sha256")):
        time.sleep(0.2)
    # It holds what it holds while it is stopped, however long the others take to start.
    os.killpg(run.pid, signal.SIGSTOP)
    same, elsewhere = _at_once(again, partial(snakemake, other, "--", "map", config=config | paths))
    os.killpg(run.pid, signal.SIGKILL)
    run.wait()
    kept = {path: path.stat().st_mtime_ns for path in tiles.glob("[!.]*.sha256")}
    together = _at_once(again, again)
    # Of what was there nothing is made again.
    assert any(path.stat().st_mtime_ns == time_of for path, time_of in kept.items())
    return Interrupted(folder, same, elsewhere, together)


@pytest.fixture(scope="module")
def mapped(interrupted: Interrupted) -> Path:
    """Folder of a map that was killed and gone on with."""
    said = "".join(answer.stdout + answer.stderr for answer in interrupted.together)
    assert any(answer.returncode == 0 for answer in interrupted.together), said
    return interrupted.folder


def test_of_two_maps_into_one_results_folder_one_is_made_and_the_other_refused(
    interrupted: Interrupted,
) -> None:
    def said(answer: CompletedProcess[str]) -> str:
        return answer.stdout + answer.stderr

    assert interrupted.same.returncode and interrupted.elsewhere.returncode
    assert "another run is at work in this folder; let it end" in said(interrupted.same)
    words = f"out is in use by another run, started in {interrupted.folder} (process "
    assert words in said(interrupted.elsewhere)
    made = [answer for answer in interrupted.together if answer.returncode == 0]
    for refused in (answer for answer in interrupted.together if answer not in made):
        assert re.search("Directory cannot be locked|another run in this folder", said(refused))
        assert "Traceback" not in said(refused)
    # Started late, the second finds all made.
    assert len([answer for answer in made if "Nothing to be done" not in said(answer)]) == 1


def test_a_killed_map_goes_on_to_the_whole_folder_and_archive(mapped: Path) -> None:
    folder = mapped / "out" / "map"
    assert {path.name for path in folder.iterdir()} == FILES
    with zipfile.ZipFile(mapped / "out" / "map.zip") as packed:
        assert {Path(name).name for name in packed.namelist()} == FILES
        for name in packed.namelist():
            assert packed.read(name) == (folder / Path(name).name).read_bytes()
    assert cog_validate(str(folder / "probability.tif"), strict=True)[0]
    assert "per 100 km²" in (folder / "map.html").read_text()
    assert {check["judgement"] for check in read_json(folder / "checks.json")} == {"ok"}


def test_the_map_equals_direct_prediction_of_the_same_windows(mapped: Path, bundle: Made) -> None:
    plan = read_plan(mapped / "out" / "scene" / "event" / "plan.json")
    ensemble = load(bundle.bundle, threads=1)
    side = ensemble.size[0]
    assert (plan.cells.patch, plan.cells.stride) == (side, STRIDE)
    here = os.getcwd()
    os.chdir(mapped)
    try:
        with open_scene(plan.reading) as reader:
            whole, names = reader.read(0, 0, ROWS, COLUMNS), reader.channels
    finally:
        os.chdir(here)
    rows, columns = np.arange(plan.cells.rows), np.arange(plan.cells.columns)
    tops = np.clip(rows * STRIDE + STRIDE // 2 - side // 2, 0, ROWS - side)
    lefts = np.clip(columns * STRIDE + STRIDE // 2 - side // 2, 0, COLUMNS - side)
    patches = np.stack([whole.channels[:, t : t + side, x : x + side] for t in tops for x in lefts])
    there = np.isfinite(patches).any(axis=(1, 2, 3))
    direct = np.full(len(patches), np.nan)
    answer = predict_with(ensemble)(patches[there], names)
    direct[there] = answer.probability
    tables = sorted((mapped / "out" / "scene" / "event" / "tiles").glob("*.parquet"))
    assert len(tables) == 4
    cells = pd.concat([pd.read_parquet(path) for path in tables]).sort_values(["row", "column"])
    np.testing.assert_array_equal(cells["probability"].to_numpy(), direct)
    with rasterio.open(mapped / "out" / "map" / "probability.tif") as file:
        steps, flags = file.read()
        assert file.shape == (ROWS, COLUMNS)
    painted = np.repeat(np.repeat(direct.reshape(len(rows), -1), STRIDE, 0), STRIDE, 1)
    painted = painted[:ROWS, :COLUMNS]
    blind = np.isnan(painted) | (flags & Flag.NODATA > 0)
    assert (steps[blind] == 255).all()
    assert (steps[~blind] == np.round(painted[~blind] * 250)).all()


def test_zones_open_in_geopandas(mapped: Path) -> None:
    path = mapped / "out" / "map" / "zones.gpkg"
    zones = geopandas.read_file(path, layer="zones")
    assert {"rank", "probability", "zone_km2", "sensors", "verdict"} <= set(zones)
    units = geopandas.read_file(path, layer="units")
    assert units["name"].tolist() == ["West", "East"]
    assert units["zones"].sum() == len(zones)


def test_a_second_run_has_nothing_to_do_and_a_changed_image_is_seen(
    mapped: Path, bundle: Made
) -> None:
    answer = snakemake(mapped, "-n", "--", "map", config=_config(bundle))
    assert "Nothing to be done" in answer.stdout + answer.stderr
    path = next((mapped / "scene" / "radar").glob("*.tif"))
    state = path.stat()
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns + 10**9))
    answer = snakemake(mapped, "-n", "--", "map", config=_config(bundle))
    assert "Nothing to be done" in answer.stdout + answer.stderr
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    answer = snakemake(mapped, "-n", "--", "map", config=_config(bundle))
    assert "plan_map" in answer.stdout + answer.stderr
    path.write_bytes(content)
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
    # Without Snakemake's records the results themselves tell what made them.
    (mapped / ".snakemake").rename(mapped / "records")
    config = _config(bundle) | {"predict": {"recall": 0.9}}
    answer = snakemake(mapped, "-n", "--", "map", config=config)
    shutil.rmtree(mapped / ".snakemake")
    (mapped / "records").rename(mapped / ".snakemake")
    assert answer.returncode != 0
    assert "predict.recall was null, is 0.9" in answer.stderr


def _without_images_of_the_other_run(mapped: Path, job: Job) -> Job:
    """A job declares all images of a scene, and those of the event or of the placebo it reads."""
    event, placebo = (
        set(read_plan(mapped / "out" / "scene" / run / "plan.json").files)
        for run in ("event", "placebo")
    )
    other = event - placebo if "/placebo/" in job.outputs[0] else placebo - event
    return replace(job, inputs=tuple(path for path in job.inputs if path not in other))


def test_no_job_of_a_map_reads_what_changed_since_it_was_read_or_written(
    mapped: Path, bundle: Made
) -> None:
    again = [*rules_in("map.smk") - {"plan_map"}]
    config = _config(bundle)
    jobs = jobs_in(mapped, "map", config=config, flags=["--forcerun", *again])
    jobs += jobs_in(mapped, "map", config=config)
    found = unguarded(mapped, [_without_images_of_the_other_run(mapped, job) for job in jobs])
    assert found.keys() == rules_in("map.smk")
    # A job compares the whole bundle by itself. What metadata say, later jobs read in the plan.
    assert {path for paths in found.values() for path in paths} <= found["plan_map"]
    later = {path for rule, paths in found.items() if rule != "plan_map" for path in paths}
    assert {Path(path).name for path in later} == {"scene.yaml", "MTD_MSIL2A.xml"}


def test_a_refused_scene_says_why_in_one_message(
    bundle: Made, made_scene: Path, tmp_path: Path
) -> None:
    shutil.copytree(made_scene, tmp_path / "scene")
    path = tmp_path / "scene" / "scene.yaml"
    said = yaml.safe_load(path.read_text())
    said["event"] = "2024-06-18"
    path.write_text(yaml.safe_dump(said))
    answer = snakemake(tmp_path, "--", "map", config=_config(bundle))
    assert answer.returncode != 0
    said_all = answer.stdout + answer.stderr
    assert "dates: refused" in said_all and "Traceback" not in said_all
    assert not (tmp_path / "out" / "map").exists()


def test_a_folder_is_described_and_its_first_scene_file_is_kept(
    made_scene: Path, tmp_path: Path
) -> None:
    """`snakemake describe` writes what then is the user's: it is not written over."""
    shutil.copytree(made_scene, tmp_path / "scene")
    (tmp_path / "scene" / "scene.yaml").unlink()
    target = tmp_path / "results" / "scene" / "scene.yaml"
    for folder, words in (("none", "none"), ("scene", "")):
        answer = snakemake(tmp_path, "--", "describe", config={"folder": folder})
        assert (answer.returncode == 0) == target.is_file() == (folder == "scene")
        assert words in answer.stderr and "Traceback" not in answer.stderr
    said = yaml.safe_load(target.read_text())
    assert (target.parent / said["optical"]["safe"]).is_dir()
    target.write_text("answered: 1\n")
    answer = snakemake(tmp_path, "--", "describe", config={"folder": "scene"})
    assert answer.returncode == 0, answer.stderr
    assert target.read_text() == "answered: 1\n"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"scene": "none.yaml"}, "there is no scene file at none.yaml"),
        ({"bundle": "none"}, "there is no bundle at none"),
        ({"bundle": None}, "name the bundle that maps it"),
        ({"scene": {"path": "scene/scene.yaml", "stide": 8}}, "did you mean 'stride'"),
    ],
)
def test_what_cannot_be_mapped_is_refused_before_any_job(
    bundle: Made, made_scene: Path, tmp_path: Path, change: dict[str, object], words: str
) -> None:
    (tmp_path / "scene").symlink_to(made_scene)
    config = {key: value for key, value in {**_config(bundle), **change}.items() if value}
    answer = snakemake(tmp_path, "-n", "--", "map", config=config)
    assert answer.returncode != 0
    assert words in answer.stdout + answer.stderr


def test_a_sample_can_be_drawn_from_the_folder_alone(mapped: Path) -> None:
    folder = mapped / "out"
    found, plan = read_map(folder / "map"), read_plan(folder / "scene" / "event" / "plan.json")
    assert found.cells == plan.cells
    assert found.grid == plan.reading.grid
    cells = pd.concat(
        map(pd.read_parquet, (folder / "scene" / "event" / "tiles").glob("*.parquet"))
    )
    probability = cells.pivot(index="row", columns="column", values="probability").to_numpy()
    there = np.isfinite(found.probability)
    assert np.abs(found.probability - probability)[there].max() <= 0.5 / 250 + 1e-9


def _view(page: Browser) -> tuple[float, float, float]:
    """Where the map's picture lies in its frame: left, top, scale."""
    left, top, scale = page.run(
        "const m = new DOMMatrix(getComputedStyle(document.querySelector('.stage')).transform);"
        "return [m.e, m.f, m.a];"
    )
    return float(left), float(top), float(scale)


@NEEDED
@pytest.mark.parametrize(("width", "height"), [(1280, 900), (420, 800)])
def test_the_page_pans_zooms_switches_layers_and_leads_from_zones_to_cards_and_back(
    mapped: Path, width: int, height: int
) -> None:
    with browser() as page:
        page.open(mapped / "out" / "map" / "map.html", width, height)
        assert page.run("return document.documentElement.scrollWidth <= innerWidth")
        # Nothing is fetched: the page needs no internet.
        assert page.run("return performance.getEntriesByType('resource').map(e => e.name)") == []
        x, y = page.middle(".viewer")
        whole = _view(page)
        page.mouse(("move", x, y), ("down",), ("move", x + 50, y + 30), ("up",))
        assert _view(page) == pytest.approx((whole[0] + 50, whole[1] + 30, whole[2]), abs=0.1)
        page.wheel(x, y, -200)
        assert _view(page)[2] > 1.2 * whole[2]
        page.click("[data-zoom='0']")
        assert _view(page) == pytest.approx(whole, abs=0.1)
        page.click("[data-zoom='1.5']")
        assert _view(page)[2] == pytest.approx(1.5 * whole[2], rel=1e-3)
        page.click("[data-zoom='0']")
        for layer in ("picture", "probability", "outlines", "blindness"):
            shown = f"return getComputedStyle(document.querySelector('[data-shows={layer}]'))"
            for seen in ("hidden", "visible"):
                page.click(f"[data-layer={layer}]")
                assert page.run(f"{shown}.visibility") == seen
        x, y = page.run(WITHIN, ".zone")
        chosen = "return [...document.querySelectorAll('.zone.chosen')].map(z => z.dataset.zone)"
        page.mouse(("move", x, y), ("down",), ("move", x + 20, y), ("move", x, y), ("up",))
        assert page.run(chosen) == []  # it was drawn along, not clicked
        page.mouse(("move", x, y), ("down",), ("up",))
        (rank,) = page.run(chosen)
        inside = (
            "const b = document.querySelector(arguments[0]).getBoundingClientRect();"
            "return b.bottom > 0 && b.top < innerHeight;"
        )
        assert page.run(inside, f"#zone-{rank}")
        page.click(f"#zone-{rank} button")
        assert page.run(inside, f"#outline-{rank}") and _view(page) != whole
