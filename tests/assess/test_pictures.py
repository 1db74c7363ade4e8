"""The page that a sample is labelled from."""

import re
from pathlib import Path

import pandas as pd
from scene.simulated_scene import CONVENTIONS

from landslip.assess.pictures import write_pictures
from landslip.io.files import write_parquet
from landslip.scene.plan import MapSettings, plan_map


def test_each_drawn_cell_is_shown_and_what_the_map_says_of_it_is_not(
    made_scene: Path, tmp_path: Path
):
    plan_map(
        made_scene / "scene.yaml", CONVENTIONS, MapSettings(stride=32, rule="centre", tile=160),
        patch=64, placebo=False, plan=tmp_path / "plan.json", checks=tmp_path / "checks.json",
    )  # fmt: skip
    rows = [(4, 5, "far"), (0, 0, "zone"), (8, 9, "near")]
    table = pd.DataFrame(rows, columns=["row", "column", "stratum"])
    table["id"] = [f"r{row}c{column}" for row, column, _ in rows]
    write_parquet(tmp_path / "drawn.parquet", table.assign(longitude=15.0, latitude=46.5))
    write_pictures(
        tmp_path / "plan.json", tmp_path / "drawn.parquet", target=tmp_path / "sample.html"
    )
    page = (tmp_path / "sample.html").read_text()
    assert re.findall(r'class="card" id="(\w+)"', page) == list(table["id"])
    assert page.count("data:image/png") >= len(table)
    assert not re.search("stratum|probability|http", page)
