"""A finished training is put back as it was, and only where just that is asked for."""

import logging
from pathlib import Path
from typing import Any

import pytest
from small_trees import SETTINGS, make_features, train

from landslip.io.files import file_digest
from landslip.models.finished import SUFFIX, forget_all

FEWER = SETTINGS["lightgbm"].model_copy(update={"inputs": ["band0"]})
OUTPUTS = ("model.txt", "model.json", "oof.parquet", "history.parquet", "importance.parquet")
OUTPUTS = (*OUTPUTS, "cost.json")


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_features(tmp_path_factory.mktemp("inputs"))


@pytest.fixture
def fold(inputs: Path, tmp_path: Path) -> Path:
    """A trained fold, where the workflow has it."""
    target = tmp_path / "models" / "lightgbm" / "fold1"
    train(inputs, target, "lightgbm")
    return target


def digests(fold: Path) -> dict[str, str]:
    """Of all outputs, times included."""
    return {name: file_digest(fold / name) for name in OUTPUTS}


def delete_outputs(fold: Path) -> None:
    """As Snakemake does with what a cut-short job wrote, and before it runs one."""
    for name in OUTPUTS:
        (fold / name).unlink()


def test_outputs_that_were_deleted_are_put_back_with_the_times_they_took(inputs: Path, fold: Path):
    before = digests(fold)
    made = (fold / "oof.parquet").stat().st_mtime_ns
    delete_outputs(fold)
    train(inputs, fold, "lightgbm")
    assert digests(fold) == before
    assert (fold / "oof.parquet").stat().st_mtime_ns > made
    assert {path.name for path in fold.iterdir()} == {*OUTPUTS, f"kept{SUFFIX}"}


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"seed": 43}, "seed was"),
        ({"code": "another"}, "code was code, is another"),
        ({"settings": SETTINGS["lightgbm"]}, None),
        ({"settings": FEWER}, "columns was"),
    ],
)
def test_another_training_is_not_put_back(
    inputs: Path, fold: Path, changes: dict[str, Any], named: str | None,
    caplog: pytest.LogCaptureFixture,
):  # fmt: skip
    cost = file_digest(fold / "cost.json")
    delete_outputs(fold)
    with caplog.at_level(logging.WARNING):
        train(inputs, fold, "lightgbm", **changes)
    assert (file_digest(fold / "cost.json") == cost) is (named is None)
    assert (named or "") in caplog.text
    assert bool(caplog.text) is (named is not None)


def test_what_is_damaged_is_not_put_back(
    inputs: Path, fold: Path, caplog: pytest.LogCaptureFixture
):
    before = digests(fold)
    delete_outputs(fold)
    kept = fold / f"kept{SUFFIX}"
    data = bytearray((kept / "oof.parquet").read_bytes())
    data[len(data) // 2] ^= 1
    (kept / "oof.parquet").write_bytes(data)
    train(inputs, fold, "lightgbm")
    assert f"{kept} is damaged" in caplog.text
    assert digests(fold)["oof.parquet"] == before["oof.parquet"]
    assert digests(fold)["cost.json"] != before["cost.json"]


def test_until_its_record_is_written_nothing_is_kept(inputs: Path, fold: Path):
    cost = file_digest(fold / "cost.json")
    delete_outputs(fold)
    (fold / f"kept{SUFFIX}" / "finished.json").unlink()
    train(inputs, fold, "lightgbm")
    assert file_digest(fold / "cost.json") != cost


def test_a_training_that_cannot_be_kept_stands_all_the_same(
    inputs: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    in_the_way = tmp_path / "fold1" / f"kept{SUFFIX}"
    in_the_way.parent.mkdir()
    in_the_way.write_text("no folder")
    train(inputs, in_the_way.parent, "lightgbm")
    assert f"{in_the_way} cannot be kept" in caplog.text
    assert set(OUTPUTS) <= {path.name for path in in_the_way.parent.iterdir()}


def test_only_what_stands_is_forgotten(fold: Path, tmp_path: Path):
    kept = fold / f"kept{SUFFIX}"
    cost = (fold / "cost.json").read_bytes()
    (fold / "cost.json").unlink()
    forget_all(tmp_path / "models")
    assert kept.is_dir()
    (fold / "cost.json").write_bytes(cost)
    forget_all(tmp_path / "models")
    assert not kept.exists()
