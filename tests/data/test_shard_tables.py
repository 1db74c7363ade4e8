"""Which patches a job works on, however few rows of a table are read at once."""

from functools import partial
from pathlib import Path

import pandas as pd
import pytest

from landslip.data import shard_tables
from landslip.data.shard_tables import listed_patches, usable_patches
from landslip.io.files import InputError, write_parquet
from landslip.io.large_tables import iterate_parquet


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    """Train and test patches, each third of which is unusable."""
    rows = [
        {
            "id": f"ID_{number}",
            "label": number % 2,
            "split": "train" if number < 30 else "test",
            "status": "unreadable" if number % 3 == 2 else "ok",
            "path": f"patches/ID_{number}.npy",
            "sha256": f"{number:064d}",
        }
        for number in range(50)
    ]
    write_parquet(tmp_path / "manifest.parquet", pd.DataFrame(rows))
    return tmp_path / "manifest.parquet"


# Of 25 shards some hold no patch.
@pytest.mark.parametrize(("shards", "at_once"), [(1, 1), (3, 1), (3, 7), (25, 7), (3, 100)])
def test_shards_are_the_patches_of_a_split_in_order(
    shards: int, at_once: int, manifest: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(shard_tables, "iterate_parquet", partial(iterate_parquet, at_once=at_once))
    for split, numbers in (("train", range(30)), ("test", range(30, 50))):
        parts = [
            usable_patches(manifest, split=split, shard=shard, shards=shards)
            for shard in range(shards)
        ]
        assert {tuple(part.columns) for part in parts} == {("id", "path", "sha256")}
        joined = pd.concat(parts)
        expected = [number for number in numbers if number % 3 != 2]
        assert joined["id"].tolist() == [f"ID_{number}" for number in expected]
        assert joined["path"].tolist() == [f"patches/ID_{number}.npy" for number in expected]
        assert joined["sha256"].tolist() == [f"{number:064d}" for number in expected]
        assert max(map(len, parts)) - min(map(len, parts)) <= 1
        # a listing has the columns of the manifest that are asked of it
        listed = [
            listed_patches(manifest, ["path"], split=split, shard=shard, shards=shards)
            for shard in range(shards)
        ]
        assert [path for part in listed for path in part["path"]] == [
            f"patches/ID_{number}.npy" for number in numbers
        ]
        assert max(map(len, listed)) - min(map(len, listed)) <= 1


def test_a_damaged_manifest_is_refused_by_name(manifest: Path):
    data = bytearray(manifest.read_bytes())
    data[len(data) // 4] ^= 1
    manifest.write_bytes(data)
    with pytest.raises(InputError, match=r"manifest\.parquet is damaged"):
        usable_patches(manifest, split="train", shard=0, shards=1)


def test_a_table_without_a_column_is_refused_by_name(tmp_path: Path):
    write_parquet(tmp_path / "table.parquet", pd.DataFrame({"id": ["a"]}))
    with pytest.raises(InputError, match="lacks the columns status"):
        list(iterate_parquet(tmp_path / "table.parquet", ["id", "status"]))
