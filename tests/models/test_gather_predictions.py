"""Test predictions in shards: joined when they are whole, refused otherwise."""

from pathlib import Path

import pandas as pd
import pytest

from landslip.io.files import InputError, write_parquet
from landslip.models.gather_predictions import gather_predictions
from landslip.models.predictions import read_test, write_test

IDS = [f"ID_{number}" for number in (3, 1, 4, 5, 9, 2, 6)]
SHARDS = [IDS[:3], IDS[3:5], [], IDS[5:]]


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    """Seven readable test patches among others."""
    rows = [("ID_t", "train", "ok"), *((name, "test", "ok") for name in IDS)]
    rows.insert(4, ("ID_bad", "test", "dropped"))
    path = tmp_path / "manifest.parquet"
    write_parquet(path, pd.DataFrame(rows, columns=["id", "split", "status"]))
    return path


def write_shards(folder: Path, fold: int, *, split: str = "d", model: str = "m") -> list[Path]:
    """Predictions of a fold, in shards of several sizes, one empty."""
    paths = []
    for number, ids in enumerate(SHARDS):
        paths.append(folder / f"fold{fold}" / f"test_shard{number}.parquet")
        probability = [(IDS.index(name) + fold) / 10 for name in ids]
        write_test(paths[-1], ids=ids, probability=probability, split_digest=split, model=model)
    return paths


def test_the_folds_files_hold_every_patch_in_order(manifest: Path, tmp_path: Path) -> None:
    shards = [write_shards(tmp_path, fold) for fold in range(2)]
    targets = [tmp_path / f"fold{fold}" / "test.parquet" for fold in range(2)]
    gather_predictions(model="m", shards=shards, manifest=manifest, targets=targets)
    for fold, target in enumerate(targets):
        read = read_test(target)
        assert read.frame["id"].tolist() == IDS
        assert read.frame["probability"].tolist() == [(at + fold) / 10 for at in range(len(IDS))]
        assert (read.split_digest, read.model) == ("d", "m")


def refusal(shards: list[list[Path]], manifest: Path) -> str:
    """Why shards are not joined; the last fold's file must not be there."""
    targets = [paths[0].with_name("test.parquet") for paths in shards]
    with pytest.raises(InputError) as caught:
        gather_predictions(model="m", shards=shards, manifest=manifest, targets=targets)
    assert not targets[-1].exists()
    return str(caught.value)


def test_a_shard_that_is_missing_is_named_by_its_patches(manifest: Path, tmp_path: Path) -> None:
    paths = write_shards(tmp_path, 0)
    assert "lack 2 (ID_2, ID_6) of 7 test patches" in refusal([paths[:-1]], manifest)
    message = refusal([[paths[0], *paths[2:]]], manifest)
    assert "test_shard3.parquet: patch ID_2 in row 0, expected ID_5" in message


def test_shards_in_another_order_or_twice_are_refused(manifest: Path, tmp_path: Path) -> None:
    paths = write_shards(tmp_path, 0)
    message = refusal([[paths[1], paths[0], *paths[2:]]], manifest)
    assert "test_shard1.parquet: patch ID_5 in row 0, expected ID_3" in message
    message = refusal([[*paths, paths[3]]], manifest)
    assert "test_shard3.parquet: patch ID_2 in row 0, expected none" in message


@pytest.mark.parametrize("at", [0, 2])
def test_a_damaged_shard_is_named(at: int, manifest: Path, tmp_path: Path) -> None:
    paths = write_shards(tmp_path, 0)
    paths[at].write_bytes(paths[at].read_bytes()[:-20])
    assert f"test_shard{at}.parquet is damaged" in refusal([paths], manifest)


def test_shards_of_several_splits_or_models_are_refused(manifest: Path, tmp_path: Path) -> None:
    first = write_shards(tmp_path, 0)
    message = refusal([first, write_shards(tmp_path, 1, split="e")], manifest)
    assert "fold1/test_shard0.parquet was made with another split (digest e, expected d)" in message
    message = refusal([first, write_shards(tmp_path, 1, model="n")], manifest)
    assert "fold1/test_shard0.parquet holds predictions of n, expected of m" in message
