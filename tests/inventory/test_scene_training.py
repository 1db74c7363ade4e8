"""From scenes and an inventory to a bundle that maps another scene, through Snakemake."""

import contextlib
import os
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from damage import jobs_in, overwrite, rules_in, unguarded
from inventory.made_scenes import SIZE, make_scene, write_zones

from landslip.inventory.reader import open_windows
from landslip.inventory.windows import read_scene_record
from landslip.io.files import InputError, read_json, read_parquet
from landslip.scene.layers import CHANNELS
from landslip.scene.named import named_files
from runs import SMALL, planned, results_of, snakemake

SCENES = ["a", "b", "c"]


def config(**data: Any) -> dict[str, Any]:
    """Trees alone, on three scenes."""
    return {
        **SMALL,
        "data": {
            "scenes": [f"{name}/scene.yaml" for name in SCENES],
            "inventory": [f"{name}/outlines.gpkg" for name in SCENES],
            "windows": {"size": SIZE},
            **data,
        },
        "folds": {"n": 2, "block_size": 960},
        "models": {
            **SMALL["models"],
            "lightgbm": {"trees": 20, "min_data_in_leaf": 2},
            "xgboost": None,
            "pwee_v2_standard": None,
        },
        "encoders": {**SMALL["encoders"], "enc3": None},
    }


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a run from three scenes, and of a fourth one."""
    folder: Path = tmp_path_factory.mktemp("run")
    for number, name in enumerate([*SCENES, "d"]):
        make_scene(folder / name, number)
    answer = snakemake(folder, "--", "all", "bundle", config=config())
    assert answer.returncode == 0, answer.stdout + answer.stderr
    return folder


def test_scenes_and_an_inventory_train_a_bundle_without_patch_files_or_test_patches(trained: Path):
    results = trained / "results"
    manifest = read_parquet(results / "data" / "manifest.parquet")
    assert set(manifest["split"]) == {"train"} and set(manifest["label"]) == {0, 1}
    folds = read_parquet(results / "data" / "folds.parquet").set_index("id")["fold"]
    used = manifest[manifest["id"].isin(folds.index)]
    assert (folds.loc[used["id"]].to_numpy()[:, None] >= 0).all()
    assert (
        used.assign(fold=folds.loc[used["id"]].to_numpy()).groupby("group")["fold"].nunique() == 1
    ).all()
    assert not list(results.rglob("*.npy")) and not (results / "submission.csv").exists()
    metrics = read_json(results / "ensemble" / "metrics.json")
    assert metrics["test"] is None and "no test patches" in metrics["test_reason"]
    assert "There are no test patches." in (results / "report.html").read_text()
    audit = read_json(results / "data" / "audit.json")
    assert any("windows without one were drawn" in sentence for sentence in audit["done"])
    bundle = read_json(results / "bundle" / "bundle.json")
    assert bundle["conventions"]["reflectance_offset"] == 1000
    # Nobody is to take their figures for those of the world.
    assert bundle["training"]["simulated"]


def test_its_bundle_maps_another_scene(trained: Path):
    asked = {"bundle": "results/bundle", "scene": "d/scene.yaml", "results": "mapped"}
    answer = snakemake(trained, "--", "map", config=asked)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert (trained / "mapped" / "map" / "probability.tif").is_file()
    checks = read_json(trained / "mapped" / "map" / "checks.json")
    assert not [check for check in checks if check["judgement"] == "refused"]


def test_touched_scenes_and_inventories_plan_nothing(trained: Path):
    for name in SCENES:
        for path in (trained / name).rglob("*"):
            os.utime(path)
    assert not planned(snakemake(trained, "-n", "--", "all", "bundle", config=config()))


def test_a_refusal_leaves_what_stood_and_the_same_file_put_back_reruns_nothing(trained: Path):
    """A scene and an inventory, damaged one after the other; their times of change are kept."""
    raster, outlines = (
        next((trained / "b" / "radar").glob("*.tif")),
        trained / "c" / "outlines.gpkg",
    )
    whole = {path: path.read_bytes() for path in (raster, outlines)}
    before = results_of(trained, pages=True)

    def run(*options: str) -> subprocess.CompletedProcess[str]:
        return snakemake(trained, *options, config=config())

    def refused(path: Path) -> None:
        answer = run("--", "results/data/listing.parquet")
        said = (
            f"error: .*{path.relative_to(trained)} (is no vector file|cannot be read as a raster)"
        )
        assert answer.returncode != 0 and re.search(said, answer.stdout + answer.stderr)
        assert results_of(trained, pages=True) == before

    overwrite(outlines, whole[outlines][: len(whole[outlines]) // 2])
    refused(outlines)
    overwrite(raster, whole[raster][: len(whole[raster]) // 2])
    refused(raster)
    # Whoever damaged one byte of it may not know.
    overwrite(raster, whole[raster][:-1] + bytes([whole[raster][-1] ^ 1]))
    answer = run("-n", "--", "all", "bundle")
    assert f"b/scene.yaml is looked at anew, for it has changed ({raster.name})" in answer.stderr
    jobs = planned(answer)
    assert jobs["look_at_scene"] == 1 and jobs["list_windows"] == jobs["build_manifest"] == 1
    overwrite(raster, whole[raster])
    # What stands of an inventory that is still damaged does not pass for its own.
    assert planned(run("-n", "--", "results/data/listing.parquet"))["list_windows"] == 1
    overwrite(outlines, whole[outlines])
    assert not planned(run("-n", "--", "all", "bundle"))


def test_no_job_reads_what_changed_since_it_was_written_or_looked_at(trained: Path, tmp_path: Path):
    folder = tmp_path / "run"
    shutil.copytree(trained, folder)
    jobs = jobs_in(folder, "all", config=config())
    readers = {"survey_patches", "build_manifest", "build_store"}
    own = rules_in("inventory.smk") | readers | {"compare_splits"}
    with contextlib.chdir(folder):
        scenes = {name for each in SCENES for name in named_files(Path(each, "scene.yaml"))}
        records = [Path(f"results/data/scenes/{number}.json") for number in range(len(SCENES))]
    walked = [
        replace(job, inputs=tuple(path for path in job.inputs if path not in scenes))
        for job in jobs
        if job.rule in own
    ]
    found = unguarded(folder, walked)
    assert found.keys() == own
    # Of what a user brings, the first reader cannot know what it was, and it is the only one.
    outlines = {f"{name}/outlines.gpkg" for name in SCENES}
    assert found.pop("list_windows") == outlines and not any(found.values())
    assert not [job for job in jobs if job.rule != "list_windows" and outlines & {*job.inputs}]
    # Who reads a scene after it was looked at compares all its files by itself.
    assert {job.rule for job in jobs if scenes & {*job.inputs}} - {"look_at_scene"} == readers
    with contextlib.chdir(folder):
        open_windows(records, CHANNELS)
        for path in sorted(name for name in scenes if name.startswith("a/")):
            content = Path(path).read_bytes()
            for damaged in (content[:-1] + bytes([content[-1] ^ 1]), content[:-1]):
                overwrite(path, damaged)
                with pytest.raises(InputError, match=f"1 of 3 scenes .*{Path(path).name}"):
                    open_windows(records, CHANNELS)
            overwrite(path, content)
        open_windows(records, CHANNELS)


def test_files_that_are_not_there_are_refused_before_any_job_by_count(trained: Path):
    names = ["a/scene.yaml", "gone.yaml", "lost.yaml"]
    answer = snakemake(trained, "-n", config=config(scenes=names))
    assert answer.returncode != 0
    said = "2 of 3 scene files are not there: gone.yaml, lost.yaml"
    assert said in answer.stderr and "Traceback" not in answer.stderr


def test_verdicts_on_a_map_of_a_training_scene_label_its_windows(trained: Path):
    record = read_scene_record(trained / "results" / "data" / "scenes" / "1.json")
    write_zones(trained / "reviewed.gpkg", record, [(1, 1), (8, 8)], ["yes", "no"])
    asked = config(verdicts="reviewed.gpkg", windows={"size": SIZE, "least_data": 0.1})
    answer = snakemake(trained, "--", "results/data/listing.parquet", config=asked)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    notes = read_json(trained / "results" / "data" / "listing.json")["notes"]
    assert any("1 zones judged to hold a landslide, 1 to hold none" in note for note in notes)
