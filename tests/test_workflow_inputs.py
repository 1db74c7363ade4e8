"""Odd files among a user's data: planning waits for none, and a refusal keeps its list."""

import os
from pathlib import Path

import numpy as np
import pytest

from runs import planned, snakemake


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder of 60 empty patches, a pipe, and a file whose name is no UTF-8."""
    for split, count in (("train", 60), ("test", 20)):
        folder = tmp_path / "mydata" / f"{split}_data"
        folder.mkdir(parents=True)
        for number in range(count):
            (folder / f"{number}.npy").touch()
        rows = "".join(f"{number},{number % 2}\n" for number in range(count))
        (tmp_path / "mydata" / f"{split.title()}.csv").write_text("ID,label\n" + rows)
    patches = tmp_path / "mydata" / "train_data"
    np.save(patches / os.fsdecode(b"caf\xe9.npy"), np.zeros(1))
    (patches / "7.npy").unlink()
    os.mkfifo(patches / "7.npy")
    return tmp_path / "mydata"


CONFIG = {"data": {"folder": "mydata"}, "encoders": {"enc1": {"weights": "w.safetensors"}}}


def test_pipes_and_names_that_are_no_utf8_stop_neither_planning_nor_a_refusal(
    tmp_path: Path, data: Path
):
    (tmp_path / "w.safetensors").touch()
    assert planned(snakemake(tmp_path, "-n", "-q", "rules", "--", "all", config=CONFIG))
    target = "results/data/manifest.parquet"
    answer = snakemake(tmp_path, "--", target, config=CONFIG)
    said = answer.stdout + answer.stderr
    assert answer.returncode != 0 and "80 patches are truncated or unreadable" in said
    assert "79: empty: 0 (train), 1 (train), 2 (train) and 76 more" in said
    assert "1: unreadable (a named pipe, not an ordinary file): 7 (train)" in said
    assert "Traceback" not in said
    listed = tmp_path / "results" / "logs" / "data" / "build_manifest.txt"
    assert str(listed.relative_to(tmp_path)) in said
    assert len(listed.read_text().splitlines()) == 81
    assert not (tmp_path / target).exists()


@pytest.mark.parametrize("name", ["mydata/Train.csv", "mydata/Test.csv", "w.safetensors"])
def test_a_pipe_in_a_files_place_is_refused_when_planning(tmp_path: Path, data: Path, name: str):
    (tmp_path / name).unlink(missing_ok=True)
    os.mkfifo(tmp_path / name)
    answer = snakemake(tmp_path, "-n", "--", "all", config=CONFIG)
    assert answer.returncode != 0 and "Traceback" not in answer.stderr
    assert f"{name} is a named pipe, not an ordinary file" in answer.stderr
