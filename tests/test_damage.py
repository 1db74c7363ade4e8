"""Whatever bytes a file holds, who reads it gets its content or a refusal that names it."""

from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from random import Random
from zipfile import ZipFile

import numpy as np
import pandas as pd
import pytest

from landslip.data.folds import read_folds, split_digest
from landslip.ensemble.choice import choose_rule
from landslip.ensemble.tables import read_ensemble_oof, write_ensemble_oof
from landslip.features.scales import read_scaling
from landslip.io.arrays import read_arrays, write_arrays
from landslip.io.files import (
    InputError,
    read_json,
    read_metadata,
    read_parquet,
    write_json,
    write_parquet,
)
from landslip.io.large_tables import count_rows, iterate_parquet
from landslip.models.importance import mean_importance
from landslip.models.predictions import read_oof, read_test

ROWS = 40
IDS = [f"ID_{number}" for number in range(ROWS)]


def write_all(folder: Path) -> dict[str, Path]:
    """One file of each kind."""
    score = np.linspace(0, 1, ROWS)
    folds = pd.DataFrame({"id": IDS, "fold": np.arange(ROWS) % 4, "label": np.arange(ROWS) % 2})
    folds = folds.astype({"label": "int8"})
    origin = {"split_digest": split_digest(folds), "model": "m"}
    oof = folds.assign(probability=score)
    answers = pd.DataFrame({"landslide": pd.array([0, 1] * (ROWS // 2), dtype="Int8")})
    importance = {"feature": IDS, "gain": score, "splits": np.arange(ROWS)}
    scaling = {"channel": ["red"], **{name: [1.0] for name in ("mean", "std")}}
    scaling |= {f"q{level}": [1.0] for level in ("01", "05", "50", "95", "99")}
    tables = {
        "folds": folds,
        "oof": oof,
        "test": oof[["id", "probability"]],
        "answers": answers,
        "importance": pd.DataFrame(importance),
        "scaling": pd.DataFrame(scaling),
    }
    for name, table in tables.items():
        write_parquet(folder / f"{name}.parquet", table, origin)
    choice = choose_rule(
        folds["label"].to_numpy(), score[:, np.newaxis], folds["fold"].to_numpy(), ["m"],
        rule="mean", calibration="isotonic", bootstrap=10, seed=1,
    )  # fmt: skip
    write_ensemble_oof(
        folder / "ensemble.parquet", split=folds, members={"m": score}, choice=choice,
        split_digest=origin["split_digest"],
    )  # fmt: skip
    write_arrays(folder / "counts.npz", counts=np.arange(ROWS), names=np.array(IDS))
    write_json(folder / "listing_summary.json", {"shape": [32, 32], "strays": {"train": IDS}})
    return {path.stem: path for path in folder.iterdir()}


READERS: dict[str, list[Callable[[Path], object]]] = {
    "folds": [read_folds, read_parquet, read_metadata, count_rows],
    "oof": [read_oof, lambda path: list(iterate_parquet(path, ["id"], rows=range(5, 30)))],
    "test": [read_test],
    "ensemble": [read_ensemble_oof],
    "answers": [lambda path: read_parquet(path, ["landslide"])],
    "importance": [lambda path: mean_importance([path])],
    "scaling": [read_scaling],
    "counts": [lambda path: read_arrays(path, ["counts", "names"])],
    "listing_summary": [read_json],
}


def damages(content: bytes, seed: int) -> Iterator[bytes]:
    """Some bytes changed, or the end cut off; more often near the end, where footers stand."""
    random = Random(seed)
    for _ in range(60):
        changed = bytearray(content)
        for _ in range(random.choice([1, 1, 4])):
            start = random.choice([0, max(0, len(content) - 200)])
            changed[random.randrange(start, len(content))] = random.randrange(256)
        yield bytes(changed)
        yield content[: random.randrange(len(content))]


@pytest.mark.parametrize("name", READERS)
def test_any_damage_is_refused_by_the_files_name_or_does_no_harm(name: str, tmp_path: Path) -> None:
    path = write_all(tmp_path)[name]
    content, refused = path.read_bytes(), 0
    for read in READERS[name]:
        read(path)
        for damaged in damages(content, len(name)):
            path.write_bytes(damaged)
            try:
                read(path)
            except InputError as error:
                assert str(path) in str(error)
                refused += 1
        path.write_bytes(content)
    assert refused > 40 * len(READERS[name])


def test_arrays_in_an_unknown_compression_are_refused_by_name(tmp_path: Path) -> None:
    path = write_all(tmp_path)["counts"]
    content = path.read_bytes()
    at = content.index(b"PK\x01\x02") + 10
    path.write_bytes(content[:at] + (97).to_bytes(2, "little") + content[at + 2 :])
    with pytest.raises(InputError, match=r"counts\.npz is damaged \(.*compression"):
        read_arrays(path, ["counts"])


def test_arrays_whose_header_is_cut_are_refused_by_name(tmp_path: Path) -> None:
    array = BytesIO()
    np.save(array, np.zeros(3))
    path = tmp_path / "counts.npz"
    with ZipFile(path, "w") as archive:
        archive.writestr("counts.npy", array.getvalue().replace(b"(3,)", b"((3,"))
    with pytest.raises(InputError, match=r"counts\.npz is damaged"):
        read_arrays(path, ["counts"])


def test_a_table_whose_footer_calls_a_column_an_index_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "oof.parquet"
    pd.DataFrame({"id": ["a"], "probability": [0.5]}).set_index("id").to_parquet(path)
    with pytest.raises(InputError, match=r"oof\.parquet lacks the columns id"):
        read_parquet(path, ["id", "probability"])


def test_a_file_that_the_system_withholds_is_not_called_damaged(tmp_path: Path) -> None:
    for read in (read_parquet, read_json, count_rows, read_metadata):
        with pytest.raises(FileNotFoundError):
            read(tmp_path / "nowhere")
