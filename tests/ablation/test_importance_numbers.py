"""What the ablation says of groups of features and of inputs, computed again from predictions."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from ablation import plainly
from ablation.plainly import cuts_of, f1_of, interval
from ablation.small_ablation import FOLDS, MEMBERS, PATCHES, RESAMPLES, oof_of
from sklearn.metrics import roc_auc_score


def terms_of(row: Any) -> list[tuple[float, str]]:
    """Weight and column of the predictions whose scores a row of the importances sums up."""
    if row.method == "permutation":
        shuffled = [f"{row.grouping}:{row.group}:{repeat}" for repeat in range(2)]
        return [(1.0, "full"), *((-0.5, name) for name in shuffled)]
    full, other = "rgbn+sar_diff", "sar_diff" if row.group == "rgbn" else "rgbn"
    if row.method == "left_out":
        return [(1.0, full), (-1.0, other)]
    return [(0.5, full), (-0.5, other), (0.5, row.group), (-0.5, "none")]


def test_importance_is_what_shuffled_and_masked_predictions_lose(results: Path):
    rows = pd.read_parquet(results / "ablation" / "importance.parquet")
    groups = {
        "modality": ["rgbn", "sar", "sar_diff", "indices"],
        "index": ["ndvi", "ndwi"],
        "statistic": ["mean", "std"],
    }
    lightgbm = rows[rows["model"] == "lightgbm"]
    assert {key: list(part["group"]) for key, part in lightgbm.groupby("grouping", sort=False)} == (
        groups
    )
    network = rows[rows["model"] == "pwee_v2_standard"]
    expected = [(m, i) for i in ("rgbn", "sar_diff") for m in ("left_out", "shapley")]
    assert list(zip(network["method"], network["group"], strict=True)) == expected
    assert set(rows["model"]) == set(MEMBERS)
    for row in rows.itertuples():
        table = pd.read_parquet(results / "ablation" / "importance" / f"{row.model}.parquet")
        labels, terms = table["label"], terms_of(row)
        cuts = cuts_of(table.assign(probability=table[terms[0][1]]))
        lost = {
            "f1": [(w, f1_of(labels, table[name].to_numpy() > cuts)) for w, name in terms],
            "auc": [(w, plainly.auc_of(labels, table[name])) for w, name in terms],
        }
        for measure, parts in lost.items():
            total = plainly.weighted_sum(parts)
            low, high = interval(total, PATCHES, RESAMPLES)
            said = [getattr(row, f"{measure}{end}") for end in ("", "_low", "_high")]
            assert said == pytest.approx([total(None), low, high], abs=1e-9)
            if measure == "f1":
                assert row.contains_zero == (row.f1_low <= 0 <= row.f1_high)


def test_split_importance_stands_beside_as_gain_and_number_of_splits(results: Path):
    rows = pd.read_parquet(results / "ablation" / "importance.parquet")
    trees = rows[rows["method"] == "permutation"]
    modality = {"rgbn": r"red|green|blue|nir", "sar": r"(desc|asc)_v[vh]",
                "sar_diff": r"(desc|asc)_diff_v[vh]", "indices": r"ndvi|ndwi"}  # fmt: skip
    for row in trees.itertuples():
        channel = {"modality": modality.get(row.group), "index": row.group, "statistic": ".*"}
        statistic = row.group if row.grouping == "statistic" else "[a-z]+"
        pattern = f"({channel[row.grouping]})_{statistic}"
        folds = [
            pd.read_parquet(results / f"models/{row.model}/fold{fold}/importance.parquet")
            for fold in range(FOLDS)
        ]
        inside = [fold["feature"].str.fullmatch(pattern) for fold in folds]
        assert any(part.any() for part in inside)
        for key in ("gain", "splits"):
            own = sum(fold.loc[part, key].sum() for fold, part in zip(folds, inside, strict=True))
            share = own / sum(fold[key].sum() for fold in folds)
            assert getattr(row, f"{key}_share") == pytest.approx(share)
    whole = trees[trees["grouping"].isin(["modality", "statistic"])]
    sums = whole.groupby(["model", "grouping"])[["gain_share", "splits_share"]].sum()
    assert sums.to_numpy() == pytest.approx(1)


def test_models_predict_again_what_they_predicted(results: Path):
    for name in MEMBERS:
        table = pd.read_parquet(results / "ablation" / "importance" / f"{name}.parquet")
        full = "rgbn+sar_diff" if name == "pwee_v2_standard" else "full"
        # Files of models hold float32 weights: predicting again gives the stored predictions.
        again = table.set_index("id")[full]
        stored = oof_of(results, name).set_index("id")["probability"]
        assert again.loc[stored.index].to_numpy() == pytest.approx(stored.to_numpy(), abs=1e-5)


def test_shapley_values_share_out_what_all_inputs_bring_together(results: Path):
    rows = pd.read_parquet(results / "ablation" / "importance.parquet")
    shapley = rows[rows["method"] == "shapley"]
    network = pd.read_parquet(results / "ablation" / "importance" / "pwee_v2_standard.parquet")
    whole = roc_auc_score(network["label"], network["rgbn+sar_diff"])
    none = roc_auc_score(network["label"], network["none"])
    assert len(shapley) == 2
    assert shapley["auc"].sum() == pytest.approx(whole - none)
