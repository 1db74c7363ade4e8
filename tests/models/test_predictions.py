"""Tables of predictions: what is written is what is read, and nothing that is no probability."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from landslip.io.files import InputError, write_parquet
from landslip.models.predictions import (
    constant_folds,
    format_ids,
    read_oof,
    read_test,
    write_oof,
    write_test,
)
from landslip.models.seeds import derive_seed


def write(path: Path, probability: list[float], ids: list[str] | None = None) -> None:
    ids = [f"ID_{number}" for number in range(len(probability))] if ids is None else ids
    patches = pd.DataFrame({"id": ids, "fold": 2, "label": 0})
    write_oof(path, patches, probability, split_digest="d", model="m")


def test_oof_predictions_survive_writing_and_reading(tmp_path: Path) -> None:
    write(tmp_path / "oof.parquet", [0.0, 0.1 + 0.2, 1.0])
    read = read_oof(tmp_path / "oof.parquet")
    assert read.frame["probability"].tolist() == [0.0, 0.1 + 0.2, 1.0]
    assert read.frame["fold"].tolist() == [2, 2, 2]
    assert (read.split_digest, read.model) == ("d", "m")


def test_test_predictions_survive_writing_and_reading(tmp_path: Path) -> None:
    path = tmp_path / "test.parquet"
    write_test(path, ids=["b", "a"], probability=[0.25, 0.5], split_digest="d", model="m")
    assert read_test(path).frame.to_dict("list") == {"id": ["b", "a"], "probability": [0.25, 0.5]}


def test_a_test_set_may_be_empty(tmp_path: Path) -> None:
    path = tmp_path / "test.parquet"
    write_test(path, ids=[], probability=[], split_digest="d", model="m")
    assert len(read_test(path).frame) == 0


@pytest.mark.parametrize("bad", [np.nan, np.inf, -0.001, 1.001])
def test_what_is_no_probability_is_refused_with_its_id(tmp_path: Path, bad: float) -> None:
    with pytest.raises(InputError, match=r"of 3 probabilities.*1 \(ID_1\)"):
        write(tmp_path / "oof.parquet", [0.5, bad, 0.5])
    assert list(tmp_path.iterdir()) == []


def test_an_id_that_comes_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"twice: 1 \(a\)"):
        write(tmp_path / "oof.parquet", [0.5, 0.5], ids=["a", "a"])


def test_reading_refuses_what_writing_refuses(tmp_path: Path) -> None:
    path = tmp_path / "test.parquet"
    frame = pd.DataFrame({"id": ["a", "b"], "probability": [0.5, np.nan]})
    write_parquet(path, frame, {"split_digest": "d", "model": "m"})
    with pytest.raises(InputError, match=r"test\.parquet.*NaN: 1 \(b\)"):
        read_test(path)


def test_a_file_without_its_split_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "test.parquet"
    write_parquet(path, pd.DataFrame({"id": ["a"], "probability": [0.5]}), {"model": "m"})
    with pytest.raises(InputError, match="does not say its split_digest"):
        read_test(path)


def test_messages_name_a_count_and_the_first_ids() -> None:
    assert format_ids("abc") == "3 (a, b, c)"
    assert format_ids("abcdefg") == "7 (a, b, c, d, e ...)"


def test_a_seed_is_stable_and_belongs_to_one_training() -> None:
    assert derive_seed(42, "lightgbm", 0) == derive_seed(42, "lightgbm", 0)
    seeds = {
        derive_seed(seed, model, fold)
        for seed in range(5)
        for model in ("lightgbm", "xgboost", "pwee_v3")
        for fold in range(5)
    }
    assert len(seeds) == 75
    assert all(0 <= seed < 2**31 for seed in seeds)


def test_a_seed_does_not_change_between_versions() -> None:
    # A change here changes every trained model: intended only with a new format version.
    assert derive_seed(42, "lightgbm", 0) == 112363776


@pytest.mark.parametrize(
    ("spread", "expected"), [(0.0, [0, 2]), (5e-7, [0, 2]), (1e-3, []), (np.nan, [])]
)
def test_a_fold_whose_patches_all_have_one_probability_is_constant(
    spread: float, expected: list[int]
) -> None:
    """The third fold is a single patch, of which nothing can be told."""
    fold = np.array([0, 1, 0, 1, 0, 3, 2, 2])
    probability = np.array([0.1, 0.2, 0.1, 0.9, 0.1 + spread, 0.4, 0.3, 0.3 + spread])
    assert constant_folds(probability, fold) == expected
