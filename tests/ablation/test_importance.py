"""Importance of groups and inputs on predictions whose answer is known."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from landslip.ablation.importance import (
    gather_importance,
    input_rows,
    permutation_rows,
    shapley_terms,
)
from landslip.ablation.masking import mask, subsets
from landslip.ablation.permutation import permute_groups
from landslip.data.folds import split_digest
from landslip.io.files import write_parquet
from landslip.models.settings import LightGBM
from landslip.models.trees import TreeOutputs, TreeTraining, train_trees

PATCHES, FOLDS = 240, 3


def test_shapley_values_of_a_sum_are_its_terms():
    worth = {"rgbn": 0.3, "sar": 0.1, "indices": -0.05}
    parts = list(worth)
    values = {
        "+".join(seen) or "none": sum(worth[part] for part in seen) for seen in subsets(parts)
    }
    for part in parts:
        terms = shapley_terms(parts, part)
        assert sum(terms[name] * values[name] for name in terms) == pytest.approx(worth[part])


def test_inputs_that_do_the_same_share_what_they_bring():
    """Worth is 1 with either of two inputs; the third brings nothing."""
    parts = ["rgbn", "indices", "sar"]
    values = {"+".join(seen) or "none": float(bool(set(seen) - {"sar"})) for seen in subsets(parts)}
    shared = {
        part: sum(weight * values[name] for name, weight in shapley_terms(parts, part).items())
        for part in parts
    }
    assert shared == pytest.approx({"rgbn": 0.5, "indices": 0.5, "sar": 0.0})


def test_only_unseen_channels_are_replaced_by_their_means():
    patches = np.arange(2 * 3 * 4, dtype=np.float32).reshape(2, 3, 2, 2)
    means = np.array([10, 20, 30], dtype=np.float32)
    masked = mask(patches, ["red", "vv", "vh"], {"vv"}, means)
    assert (masked[:, 1] == patches[:, 1]).all()
    assert (masked[:, 0] == 10).all()
    assert (masked[:, 2] == 30).all()
    assert patches[0, 0, 0, 0] == 0, "the patches themselves stay"


def predicted(**columns: np.ndarray) -> pd.DataFrame:
    """A table of predictions for labels of which every third is a landslide."""
    n = len(next(iter(columns.values())))
    labels = (np.arange(n) % 3 == 0).astype(np.int8)
    ids = [str(number) for number in range(n)]
    return pd.DataFrame({"id": ids, "fold": np.arange(n) % 4, "label": labels, **columns})


def test_the_interval_of_a_group_without_effect_contains_zero_and_one_that_matters_does_not():
    right = np.where(np.arange(120) % 3 == 0, 0.9, 0.1)
    wrong = np.random.default_rng(1).random(120)
    table = predicted(**{"full": right, "modality:sar:0": right, "modality:rgbn:0": wrong})
    rows = {row["group"]: row for row in permutation_rows(table, resamples=200, seed=42)}
    assert rows["sar"]["f1"] == 0
    assert rows["sar"]["contains_zero"]
    assert rows["rgbn"]["f1_low"] > 0
    assert not rows["rgbn"]["contains_zero"]


@pytest.mark.parametrize("repeats", [1, 3, 7])
def test_shufflings_that_change_no_decision_bring_nothing_at_all(repeats: int):
    """Also where the weights of the shufflings do not add up to 1 in floating point."""
    scores = np.random.default_rng(2).random(121)
    same = {f"modality:sar:{repeat}": scores for repeat in range(repeats)}
    (row,) = permutation_rows(predicted(full=scores, **same), resamples=200, seed=42)
    assert (row["f1"], row["f1_low"], row["f1_high"]) == (0, 0, 0)
    assert row["contains_zero"]


def test_an_input_left_out_is_compared_to_all_inputs():
    right = np.where(np.arange(120) % 3 == 0, 0.9, 0.1)
    none = np.full(120, 0.3)
    table = predicted(**{"none": none, "a": right, "b": none, "a+b": right})
    rows = {
        (row["method"], row["group"]): row["auc"]
        for row in input_rows(table, ["a", "b"], resamples=100, seed=42)
    }
    assert rows["left_out", "a"] == pytest.approx(0.5)
    assert rows["left_out", "b"] == pytest.approx(0)
    assert rows["shapley", "a"] == pytest.approx(0.5)


def test_shuffling_changes_what_the_trees_read_and_nothing_else(tmp_path: Path):
    random = np.random.default_rng(3)
    labels = (random.random(PATCHES) < 0.4).astype(np.int8)
    ids = [f"p{number}" for number in range(PATCHES)]
    folds = pd.DataFrame({"id": ids, "fold": np.arange(PATCHES) % FOLDS, "label": labels})
    write_parquet(tmp_path / "folds.parquet", folds, {"split_digest": split_digest(folds)})
    features = pd.DataFrame(
        {
            "id": ids,
            "red_mean": labels + 0.3 * random.normal(size=PATCHES),
            "vv_mean": random.random(PATCHES),
        }
    )
    write_parquet(tmp_path / "train.parquet", features)
    settings = LightGBM(
        kind="lightgbm", inputs=["red", "vv"], statistics=["mean"], trees=20, learning_rate=0.2,
        max_depth=3, subsample=1.0, colsample=1.0, leaves=4,
    )  # fmt: skip
    for fold in range(FOLDS):
        folder = tmp_path / f"fold{fold}"
        names = ("oof", "history", "importance")
        train_trees(
            TreeTraining(
                model="lightgbm", settings=settings, features=tmp_path / "train.parquet",
                folds=tmp_path / "folds.parquet", fold=fold, seed=42,
                threads=1, gpu=False,
            ),
            TreeOutputs(
                weights=folder / "model.txt", description=folder / "model.json",
                cost=folder / "cost.json", **{name: folder / f"{name}.parquet" for name in names},
            ),
        )  # fmt: skip
    permute_groups(
        model="lightgbm",
        descriptions=[tmp_path / f"fold{fold}" / "model.json" for fold in range(FOLDS)],
        features=tmp_path / "train.parquet",
        folds=tmp_path / "folds.parquet",
        groupings={"modality": {"optical": ["red_mean"], "sar": ["vv_mean"], "none": []}},
        repeats=2,
        seed=42,
        threads=1,
        target=tmp_path / "out.parquet",
    )
    table = pd.read_parquet(tmp_path / "out.parquet").set_index("id")
    stored = pd.concat(pd.read_parquet(tmp_path / f"fold{f}" / "oof.parquet") for f in range(FOLDS))
    expected = stored.set_index("id")["probability"].loc[table.index]
    assert table["full"].to_numpy() == pytest.approx(expected.to_numpy())
    assert (table["modality:none:0"] == table["full"]).all()
    assert (table["modality:optical:0"] != table["modality:optical:1"]).any()
    rows = {
        row["group"]: row for row in permutation_rows(table.reset_index(), resamples=100, seed=42)
    }
    assert rows["optical"]["f1_low"] > 0.2
    assert abs(rows["sar"]["f1"]) < 0.1


def test_trees_without_a_single_split_have_no_share_of_the_gain(tmp_path: Path):
    """As where `min_data_in_leaf` is larger than half of the patches."""
    probability = np.full(60, 0.3)
    table = predicted(full=probability, **{"modality:optical:0": probability})
    write_parquet(tmp_path / "permuted.parquet", table)
    splits = pd.DataFrame({"feature": ["red_mean", "vv_mean"], "splits": 0, "gain": 0.0})
    write_parquet(tmp_path / "importance.parquet", splits)
    gather_importance(
        trees={"lightgbm": tmp_path / "permuted.parquet"},
        splits={"lightgbm": [tmp_path / "importance.parquet"]},
        groupings={"lightgbm": {"modality": {"optical": ["red_mean"]}}},
        networks={}, parts={}, bootstrap=100, seed=1, target=tmp_path / "out.parquet",
    )  # fmt: skip
    (row,) = pd.read_parquet(tmp_path / "out.parquet").to_dict("records")
    assert (row["gain_share"], row["splits_share"]) == (0.0, 0.0)
