"""The page that a sample is labelled from."""

import re
from collections.abc import Callable
from pathlib import Path

import pandas as pd
from scene.simulated_scene import CONVENTIONS

from landslip.assess.pictures import write_pictures
from landslip.io.files import write_parquet
from landslip.scene.plan import MapSettings, plan_map


def draw_cells(scene: Path, folder: Path) -> list[str]:
    """Ids of three cells; the page that shows them is sample.html."""
    plan_map(
        scene / "scene.yaml", CONVENTIONS, MapSettings(stride=32, rule="centre", tile=160),
        patch=64, placebo=False, plan=folder / "plan.json", checks=folder / "checks.json",
    )  # fmt: skip
    rows = [(4, 5, "far"), (0, 0, "zone"), (8, 9, "near")]
    table = pd.DataFrame(rows, columns=["row", "column", "stratum"])
    table["id"] = [f"r{row}c{column}" for row, column, _ in rows]
    write_parquet(folder / "drawn.parquet", table.assign(longitude=15.0, latitude=46.5))
    write_pictures(folder / "plan.json", folder / "drawn.parquet", target=folder / "sample.html")
    return list(table["id"])


def test_each_drawn_cell_is_shown_and_what_the_map_says_of_it_is_not(
    made_scene: Path, tmp_path: Path
):
    ids = draw_cells(made_scene, tmp_path)
    page = (tmp_path / "sample.html").read_text()
    assert re.findall(r'class="card" id="(\w+)"', page) == ids
    assert page.count("data:image/png") >= len(ids)
    assert not re.search("stratum|probability|http", page)


def test_no_text_on_the_page_is_taken_for_markup(
    made_scene: Path, tmp_path: Path, planted: Callable[[Path], None]
):
    draw_cells(made_scene, tmp_path)
    planted(tmp_path / "sample.html")
