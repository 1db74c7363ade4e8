"""A reviewer's verdicts on zones give the precision of a map, with its interval."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import shapely

from landslip.assess.precision import write_precision
from landslip.io.files import InputError, read_json
from landslip.scene.geopackage import write_geopackage


def zones(folder: Path, verdicts: list[str], column: str = "verdict") -> Path:
    """A zones.gpkg, the most probable first, of a map with the threshold 0.45."""
    count = len(verdicts)
    table = pd.DataFrame(
        {
            "rank": np.arange(1, count + 1),
            "probability": np.linspace(0.95, 0.5, count),
            "threshold": 0.45,
            column: np.array(verdicts, object),
            "geometry": [shapely.box(x, 0, x + 1, 1) for x in range(count)],
        }
    )
    write_geopackage({"zones": table}, {}, "EPSG:32633", folder / "zones.gpkg")
    return folder / "zones.gpkg"


def write(path: Path, confidence: float, target: Path) -> None:
    page = target.with_suffix(".html")
    write_precision(path, confidence, target, page, precision=0.75, bound="estimate")


def test_precision_is_the_share_of_right_zones_with_wilsons_interval(tmp_path: Path):
    path = zones(tmp_path, ["yes"] * 8 + ["no"] * 2)
    write(path, 0.95, tmp_path / "precision.json")
    found = read_json(tmp_path / "precision.json")
    # Wilson (1927): (p + z2/2n ± z sqrt(p q / n + z2 / 4 n2)) / (1 + z2 / n).
    assert found["precision"] == {
        "value": 0.8,
        "low": pytest.approx(0.4902, abs=1e-4),
        "high": pytest.approx(0.9433, abs=1e-4),
    }
    assert found["complete"]
    last = found["by_threshold"][-1]
    assert (last["threshold"], last["judged"], last["precision"]["value"]) == (0.95, 1, 1.0)
    assert found["by_threshold"][0]["precision"]["value"] == 0.8


def test_zones_without_a_verdict_are_counted_and_not_taken_for_wrong(tmp_path: Path):
    write(zones(tmp_path, ["1", "0", "", ""]), 0.9, tmp_path / "precision.json")
    found = read_json(tmp_path / "precision.json")
    assert (found["judged"], found["right"], found["precision"]["value"]) == (2, 1, 0.5)
    assert not found["complete"]
    assert "2 of 4 zones have no verdict" in found["words"]


def test_zones_of_which_the_reviewer_was_unsure_are_counted_and_not_judged(tmp_path: Path):
    write(zones(tmp_path, ["1", "0", "unsure", "?", ""]), 0.95, tmp_path / "precision.json")
    found = read_json(tmp_path / "precision.json")
    assert (found["zones"], found["judged"], found["unsure"]) == (5, 2, 2)


def test_the_page_says_which_key_puts_the_recalibrated_threshold_in_force(tmp_path: Path):
    write(zones(tmp_path, ["yes"] * 20 + ["no"] * 20), 0.95, tmp_path / "precision.json")
    found = read_json(tmp_path / "precision.json")
    assert found["threshold"] == 0.45
    better = found["recalibrated"]
    assert better["precision"]["value"] >= 0.75 > found["precision"]["value"]
    assert 0.45 < better["threshold"] < 0.95
    threshold = better["config"]["predict"]["threshold"]
    assert f"predict='{{threshold: {threshold}}}'" in (tmp_path / "precision.html").read_text()


@pytest.mark.parametrize(
    ("verdicts", "column", "says"),
    [
        (["", ""], "verdict", "no zone has a verdict"),
        (["yes", "perhaps"], "verdict", r"zone 2 \(perhaps\)"),
        (["yes"], "opinion", "lacks the columns verdict"),
    ],
)
def test_what_is_no_verdict_is_refused(tmp_path: Path, verdicts: list[str], column: str, says: str):
    with pytest.raises(InputError, match=says):
        write(zones(tmp_path, verdicts, column), 0.95, tmp_path / "precision.json")
