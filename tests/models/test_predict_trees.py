"""Test patches and trees: every fold's model predicts every patch, whoever shares the work."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from small_trees import COLUMNS, FOLDS, KINDS, make_features, train

from landslip.io.files import (
    InputError,
    read_json,
    read_metadata,
    read_parquet,
    write_json,
    write_parquet,
)
from landslip.models import predict_trees as module
from landslip.models.predict_trees import predict_trees
from landslip.models.predictions import read_test
from landslip.models.tree_files import load_trees


@pytest.fixture(scope="module")
def features(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_features(tmp_path_factory.mktemp("features"))


@pytest.fixture(scope="module", params=KINDS)
def trained(
    request: pytest.FixtureRequest, features: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A folder with the folds of a model of each kind."""
    folder = tmp_path_factory.mktemp(request.param)
    for fold in range(FOLDS):
        train(features, folder / f"fold{fold}", request.param, fold=fold)
    return folder


def descriptions_in(trained: Path) -> list[Path]:
    return [trained / f"fold{fold}" / "model.json" for fold in range(FOLDS)]


def predict(features: Path, trained: Path, target: Path, **changes: Any) -> list[pd.DataFrame]:
    """What every fold predicts."""
    targets = [target / f"{fold}.parquet" for fold in range(FOLDS)]
    arguments: dict[str, Any] = {
        "model": read_json(trained / "fold0" / "model.json")["model"],
        "descriptions": descriptions_in(trained),
        "features": features / "test.parquet",
        "threads": 1,
        "targets": targets,
    }
    predict_trees(**(arguments | changes))
    return [read_test(path).frame for path in targets]


def write_features(folder: Path, table: pd.DataFrame, rows_per_group: int | None = None) -> Path:
    """test.parquet."""
    folder.mkdir(exist_ok=True)
    path = folder / "test.parquet"
    if rows_per_group is None:
        write_parquet(path, table)
    else:
        pq.write_table(
            pa.Table.from_pandas(table), path, row_group_size=rows_per_group,
            write_page_checksum=True,
        )  # fmt: skip
    return folder


def test_every_fold_predicts_every_patch_in_the_tables_order(
    features: Path, trained: Path, tmp_path: Path
) -> None:
    table = read_parquet(features / "test.parquet")
    predicted = predict(features, trained, tmp_path)
    for description, frame in zip(descriptions_in(trained), predicted, strict=True):
        assert frame["id"].tolist() == table["id"].tolist()
        alone = load_trees(description).predict(table[COLUMNS].to_numpy())
        np.testing.assert_array_equal(frame["probability"], alone)
    assert not np.array_equal(predicted[0]["probability"], predicted[1]["probability"])
    told = read_json(trained / "fold0" / "model.json")
    assert read_metadata(tmp_path / "2.parquet") == {
        "split_digest": told["split_digest"],
        "model": told["model"],
    }


@pytest.mark.parametrize("rows_per_group", [7, 16, 1000])
def test_rows_read_at_once_and_row_groups_change_no_bit(
    rows_per_group: int,
    features: Path,
    trained: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole = predict(features, trained, tmp_path / "whole")
    monkeypatch.setattr(module, "_BLOCK", 5)
    table = read_parquet(features / "test.parquet")
    cut = write_features(tmp_path / "cut", table, rows_per_group)
    for found, expected in zip(predict(cut, trained, tmp_path), whole, strict=True):
        pd.testing.assert_frame_equal(found, expected, check_exact=True)


def test_no_patches_are_predicted_as_nothing(features: Path, trained: Path, tmp_path: Path) -> None:
    none = write_features(tmp_path / "none", read_parquet(features / "test.parquet")[:0])
    for frame in predict(none, trained, tmp_path):
        assert list(frame.columns) == ["id", "probability"]
        assert len(frame) == 0


def test_features_that_are_missing_doubled_or_not_finite_are_refused(
    features: Path, trained: Path, tmp_path: Path
) -> None:
    table = read_parquet(features / "test.parquet")
    first = table["id"].iloc[0]
    damaged = {
        "lacks the columns band0_std": table.drop(columns="band0_std"),
        rf"twice: 1 \({first}\)": pd.concat([table, table[:1]]),
        rf"NaN or infinite for 1 \({first}\)": table.assign(
            band0_std=table["band0_std"].where(table["id"] != first)
        ),
    }
    for message, frame in damaged.items():
        with pytest.raises(InputError, match=message):
            predict(write_features(tmp_path / "in", frame), trained, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_damaged_weights_of_any_fold_are_refused_by_name(
    features: Path, trained: Path, tmp_path: Path
) -> None:
    copy = shutil.copytree(trained, tmp_path / "copy")
    weights = copy / "fold2" / read_json(copy / "fold2" / "model.json")["weights"]
    data = bytearray(weights.read_bytes())
    data[len(data) // 2] ^= 1
    weights.write_bytes(data)
    with pytest.raises(InputError, match=rf"fold2/{weights.name} is damaged"):
        predict(features, copy, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_what_is_not_every_fold_of_one_training_is_refused(
    features: Path, trained: Path, tmp_path: Path
) -> None:
    copy = shutil.copytree(trained, tmp_path / "copy")
    paths = descriptions_in(copy)
    for given, message in (
        (paths[:2], "2 trained folds, expected 3"),
        ([paths[0], paths[2], paths[1]], r"fold2/model\.json is of \w+ fold 2, expected .* fold 1"),
        ([paths[0], paths[1], paths[1]], r"fold1/model\.json is of \w+ fold 1, expected .* fold 2"),
    ):
        with pytest.raises(InputError, match=message):
            predict(features, copy, tmp_path / "out", descriptions=given)
    with pytest.raises(InputError, match="expected other fold 0"):
        predict(features, copy, tmp_path / "out", model="other")
    told = read_json(paths[1])
    for change in ({"split_digest": "0"}, {"settings": {**told["settings"], "trees": 29}}):
        write_json(paths[1], told | change)
        with pytest.raises(InputError, match=f"trainings with another {next(iter(change))}"):
            predict(features, copy, tmp_path / "out")
    assert not (tmp_path / "out").exists()
