"""From a finished map to its accuracy, through Snakemake."""

import sqlite3
from contextlib import closing
from pathlib import Path

import geopandas
import numpy as np
from assess.made_map import write_map
from damage import jobs_in, rules_in, unguarded

from landslip.io.files import read_json
from runs import snakemake

CONFIG = {
    "results": "out",
    "map": "map",
    "assess": {"cells": {"zone": 30, "near": 20, "far": 30}},
}


def test_a_map_is_sampled_labelled_and_assessed(tmp_path: Path):
    write_map(tmp_path / "map")
    first = snakemake(tmp_path, "--", "assess", config=CONFIG)
    assert first.returncode == 0, first.stdout + first.stderr
    sample = tmp_path / "out" / "sample.gpkg"
    table = geopandas.read_file(sample)
    assert len(table) == 80
    table["label"] = np.where(table["stratum"] == "zone", "yes", "no")
    table.to_file(tmp_path / "out" / "filled.gpkg", layer="sample")
    zones = geopandas.read_file(tmp_path / "map" / "zones.gpkg", layer="zones")
    zones.assign(verdict="yes").to_file(tmp_path / "reviewed.gpkg", layer="zones")
    filled = {**CONFIG, "labels": "out/filled.gpkg", "verdicts": "reviewed.gpkg"}
    second = snakemake(tmp_path, "--", "assess", config=filled)
    assert second.returncode == 0, second.stdout + second.stderr
    found = read_json(tmp_path / "out" / "accuracy.json")
    assert (found["cells"], found["slides"]) == (80, 30)
    assert found["landslide"]["users"]["value"] == 1
    assert len(found["warnings"]) == 3
    assert read_json(tmp_path / "out" / "precision.json")["precision"]["value"] == 1
    assert "draw_sample" not in second.stderr

    jobs = jobs_in(tmp_path, "assess", config=filled) + jobs_in(tmp_path, "assess", config=CONFIG)
    found = unguarded(tmp_path, jobs)
    # Pictures are of maps whose scene is there; of these two, and of what a person filled in, the
    # first reader is the only one.
    assert found.keys() == rules_in("assess.smk") - {"picture_sample"}
    assert found["draw_sample"] == {"map/probability.tif", "map/zones.gpkg"}
    assert found["write_accuracy"] == {"out/filled.gpkg"}
    assert found["write_precision"] == {"reviewed.gpkg"}

    # As QGIS saves it: in a file beside, as long as the layer is open.
    with closing(sqlite3.connect(tmp_path / "out" / "filled.gpkg")) as base:
        for function in ("IsEmpty", "MinX", "MaxX", "MinY", "MaxY"):
            base.create_function(f"ST_{function}", 1, lambda _: 0)
        base.execute("PRAGMA journal_mode = WAL")
        base.execute("UPDATE sample SET inclusion_probability = 0.1")
        base.commit()
        assert (tmp_path / "out" / "filled.gpkg-wal").stat().st_size
        third = snakemake(tmp_path, "--", "assess", config=filled)
    assert third.returncode != 0
    log = (tmp_path / "out" / "logs" / "assess" / "write_accuracy.log").read_text()
    assert "80 cells have another inclusion_probability" in log


def test_what_is_not_there_or_not_a_copy_is_refused_before_any_job(tmp_path: Path):
    answer = snakemake(tmp_path, "-n", "--", "assess", config=CONFIG)
    assert answer.returncode != 0
    assert "map/probability.tif is not there" in answer.stderr
    write_map(tmp_path / "map")
    own = {**CONFIG, "labels": "out/sample.gpkg"}
    answer = snakemake(tmp_path, "-n", "--", "assess", config=own)
    assert "copy out/sample.gpkg and fill the copy" in answer.stderr
