"""A random split of neighbours flatters, and the report says by how much."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from landslip.data.folds import write_folds
from landslip.io.files import read_json, write_parquet
from landslip.report.splits import compare_splits
from landslip.report.splits_figure import draw_splits, splits_paragraph
from landslip.report.variogram import reach, variogram


def write_patches(folder: Path, *, neighbours_alike: bool, seed: int = 0) -> dict[str, Path]:
    """Three scenes of 100 patches, in blocks of 4; a feature tells only which block it is.

    With neighbours alike, a block has one label, so that a patch is known by those of its block.
    """
    rng = np.random.default_rng(seed)
    rows = []
    for scene in range(3):
        for row, column in np.ndindex(10, 10):
            block = f"{scene}_{row // 2}_{column // 2}"
            rows.append({"scene": f"scene{scene}", "x": 640.0 * column, "y": 640.0 * row,
                         "group": block, "crs": f"EPSG:3263{scene + 2}"})  # fmt: skip
    table = pd.DataFrame(rows)
    count = len(table)
    code = pd.factorize(table["group"])[0]
    own = rng.random((code.max() + 1, 6))
    of_block = rng.random(code.max() + 1) < 0.35
    label = of_block[code] if neighbours_alike else rng.random(count) < 0.35
    table["id"] = [f"p{number:04}" for number in range(count)]
    table = table.assign(label=label.astype(np.int8), split="train", status="ok")
    features = pd.DataFrame(own[code] + 0.01 * rng.random((count, 6)), columns=list("abcdef"))
    paths = {name: folder / f"{name}.parquet" for name in ("manifest", "features", "folds")}
    write_parquet(paths["manifest"], table)
    write_parquet(paths["features"], features.assign(id=table["id"]))
    write_folds(paths["manifest"], paths["folds"], scheme="blocks", n=5, seed=1, group=None)
    return paths


def compared(folder: Path, **changes: Any) -> dict[str, Any]:
    paths = write_patches(folder, **changes)
    target = folder / "splits.json"
    compare_splits(**paths, resamples=200, seed=42, threads=1, target=target)
    found: dict[str, Any] = read_json(target)
    return found


def test_a_random_split_flatters_where_neighbours_are_alike(tmp_path: Path) -> None:
    found = compared(tmp_path, neighbours_alike=True)
    auc = {row["split"]: row["auc"]["value"] for row in found["rows"]}
    assert auc["random"] > 0.9
    assert auc["in force"] < 0.7 and auc["scene"] < 0.7
    assert found["flattery"]["auc"]["low"] > 0.1
    # Labels of one block are one; two blocks away they are as any two.
    curve = found["variogram"]
    assert curve["label"][0] < 0.75 * curve["label"][-1]
    assert found["reach"] is not None and found["reach"] > 640
    words = splits_paragraph(tmp_path / "splits.json")
    assert "is what the random split flatters" in words
    draw_splits(tmp_path / "splits.json", tmp_path / "splits.png")
    assert (tmp_path / "splits.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("most", [60, 30])
def test_of_many_patches_every_fold_keeps_some(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    """Folds of whole scenes are groups larger than a fold's part of the patches that are used."""
    monkeypatch.setattr("landslip.report.splits._MOST", most)
    paths = write_patches(tmp_path, neighbours_alike=False)
    table = pd.read_parquet(paths["manifest"]).assign(group=lambda t: t["scene"])
    write_parquet(paths["manifest"], table)
    write_folds(paths["manifest"], paths["folds"], scheme="scene", n=3, seed=1, group=None)
    target = tmp_path / "splits.json"
    compare_splits(**paths, resamples=100, seed=42, threads=1, target=target)
    found = read_json(target)
    assert most - 3 <= found["used"] <= most
    assert {row["split"]: row["folds"] for row in found["rows"]} == {"random": 3, "in force": 3}


def test_a_random_split_flatters_nothing_where_labels_are_drawn_one_by_one(tmp_path: Path) -> None:
    found = compared(tmp_path, neighbours_alike=False)
    assert found["flattery"]["auc"]["low"] < 0 < found["flattery"]["auc"]["high"]
    assert "is not above chance here" in splits_paragraph(tmp_path / "splits.json")
    again = compared(tmp_path, neighbours_alike=False)
    assert again == found


def test_the_variogram_is_half_the_mean_squared_difference_of_pairs() -> None:
    rng = np.random.default_rng(3)
    place, labels = rng.random((80, 2)) * 1000, (rng.random(80) < 0.4).astype(float)
    probability, part = rng.random(80), np.repeat([0, 1], 40)
    curve = variogram(place, part, labels, probability, seed=0)
    distances, squares = [], []
    for one in range(80):
        for two in range(one):
            if part[one] == part[two]:
                distances.append(np.hypot(*(place[one] - place[two])))
                squares.append((labels[one] - labels[two]) ** 2)
    edges = np.geomspace(min(distances) * 0.999, max(distances) / 2, 13)
    expected = []
    for low, high in pairwise(edges):
        own = [s for d, s in zip(distances, squares, strict=True) if low <= d < high]
        if len(own) >= 30:
            expected.append(np.mean(own) / 2 / labels.var())
    assert curve["label"] == pytest.approx(expected)


def test_patches_reach_as_far_as_the_variogram_stays_below_its_sill() -> None:
    curve = {"distance": [1.0, 2.0, 4.0, 8.0], "label": [0.2, 0.97, 0.6, 1.1]}
    assert reach(curve) == 8.0
    assert reach({**curve, "label": [0.2, 0.5, 0.96, 1.0]}) == 4.0
    assert reach({**curve, "label": [0.2, 0.5, 0.6, 0.8]}) is None
