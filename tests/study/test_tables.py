"""`snakemake study` on a small config, and every number of its tables computed again, plainly."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.isotonic import IsotonicRegression
from sklearn.metrics import brier_score_loss, f1_score, precision_score, recall_score, roc_auc_score

from landslip.ensemble.bootstrap import resample_weights
from workflow import SMALL, planned, read, snakemake

TABLES = ("models", "modalities", "scenarios", "mixed_encoders")
SHIPPED = (
    "statistics",
    "indices",
    "encoders_per_input",
    "other_encoders",
    "scalings",
    "pretraining",
)
FOLDS, RESAMPLES = 2, 100
SUBSETS = {
    "optical": {"change": {"inputs": ["rgbn", "indices"]}},
    "optical_again": {"change": {"inputs": ["red", "green", "blue", "nir", "indices"]}},
    "everything": {"change": {"inputs": ["rgbn", "sar", "sar_diff", "indices"]}},
}
STUDY: dict[str, Any] = {
    **SMALL,
    "data": {"simulation": {"train": 150, "test": 20, "size": 32, "positives": 0.3}},
    "encoders": {**SMALL["encoders"], "edgenext_small": {"timm": "test_vit3", "pretrained": False}},
    "models": {
        **SMALL["models"],
        "pwee_v2_standard": {
            "features": 8,
            "training": {
                "epochs": 1,
                "batch_size": 16,
                "image_size": 32,
                "tta": "none",
                "precision": "float32",
            },
        },
    },
    "study": {
        "bootstrap": RESAMPLES,
        "shufflings": 1,
        "tables": {
            **dict.fromkeys(SHIPPED),
            "modalities": {"each": None, "variants": SUBSETS},
            "mixed_encoders": {
                "variants": {
                    "maxvit": None,
                    "mixed": {"change": {"encoder": ["enc3", "edgenext_small"]}},
                }
            },
        },
    },
}


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the study makes."""
    folder = tmp_path_factory.mktemp("study")
    jobs = planned(snakemake(folder, "-n", "--quiet", "rules", "--", "study", config=STUDY))
    # The base and one variant: two of three variants are one job, the third is the base.
    assert jobs["train_lightgbm"] == 2 * FOLDS
    assert jobs["train_network"] == 2 * FOLDS
    assert jobs["train_xgboost"] == FOLDS
    answer = snakemake(folder, "--", "study", config=STUDY)
    assert answer.returncode == 0, answer.stdout[-3000:] + answer.stderr[-6000:]
    answer = snakemake(folder, "-n", "--quiet", "rules", "--", "study", config=STUDY)
    assert set(planned(answer)) <= {"study"}
    return folder / "results"


def oof_of(results: Path, model: str) -> pd.DataFrame:
    """One model's predictions, or the mean of several, in the order of the split."""
    folds = pd.read_parquet(results / "data" / "folds.parquet")
    parts = []
    for name in model.split("+"):
        files = [results / f"models/{name}/fold{fold}/oof.parquet" for fold in range(FOLDS)]
        rows = pd.concat([pd.read_parquet(path) for path in files]).set_index("id")
        parts.append(rows["probability"].loc[folds["id"]].to_numpy())
    folds["probability"] = sum(parts) / len(parts)
    return folds


def decide(table: pd.DataFrame) -> np.ndarray:
    """Every fold at the best threshold of the others, all tried one by one."""
    decided = np.zeros(len(table), dtype=bool)
    for fold in range(FOLDS):
        others, own = table[table["fold"] != fold], (table["fold"] == fold).to_numpy()
        scores = np.unique(others["probability"])
        middles = [(a + b) / 2 for a, b in zip([0.0, *scores[:-1]], scores, strict=True)]
        tried = [f1_score(others["label"], others["probability"] > cut) for cut in middles]
        decided[own] = (table["probability"] > middles[int(np.argmax(tried))])[own]
    return decided


@pytest.mark.parametrize("table", TABLES)
def test_every_row_is_what_its_oof_files_say(results: Path, table: str):
    rows = pd.read_parquet(results / "study" / f"{table}.parquet")
    against = {row.variant: row.model for row in rows.itertuples()}
    against["ensemble"] = "lightgbm+xgboost+pwee_v2_standard"
    assert len(rows) >= 2
    for row in rows.itertuples():
        oof = oof_of(results, row.model)
        labels, decided = oof["label"].to_numpy(), decide(oof)
        assert row.patches == 150
        assert row.positives == labels.sum()
        assert row.f1 == pytest.approx(f1_score(labels, decided))
        assert row.precision == pytest.approx(precision_score(labels, decided, zero_division=0))
        assert row.recall == pytest.approx(recall_score(labels, decided))
        assert row.auc == pytest.approx(roc_auc_score(labels, oof["probability"]))
        assert (row.tp, row.fp) == (
            (decided & (labels == 1)).sum(),
            (decided & (labels == 0)).sum(),
        )
        base = decide(oof_of(results, against.get(row.against, row.against)))
        assert row.difference == pytest.approx(row.f1 - f1_score(labels, base))
        drawn = np.concatenate(list(resample_weights(len(labels), RESAMPLES, 42)))
        differences = [
            f1_score(labels, decided, sample_weight=w) - f1_score(labels, base, sample_weight=w)
            for w in drawn
        ]
        low, high = np.percentile(differences, [2.5, 97.5])
        assert (row.difference_low, row.difference_high) == pytest.approx((low, high), abs=1e-12)
        assert row.inside_noise == (low <= 0 <= high)


def test_the_row_of_all_members_is_the_ensembles_own_figure(results: Path):
    rows = pd.read_parquet(results / "study" / "scenarios.parquet").set_index("variant")
    ensemble = pd.read_parquet(results / "ensemble" / "oof.parquet")
    expected = f1_score(ensemble["label"], decide(ensemble))
    assert rows.loc["all", "f1"] == pytest.approx(expected)


def test_the_papers_figures_stand_beside_ours(results: Path):
    rows = pd.read_parquet(results / "study" / "models.parquet").set_index("variant")
    assert rows.loc["ensemble", "paper_oof_f1"] == 0.9216
    assert rows.loc["lightgbm", "paper_overall_f1"] == 0.8632


def test_confusion_counts_every_patch_once(results: Path):
    ensemble = pd.read_parquet(results / "ensemble" / "oof.parquet")
    rows = pd.read_parquet(results / "study" / "confusion.parquet").set_index("variant")
    assert (rows[["tn", "fp", "fn", "tp"]].sum(axis=1) == len(ensemble)).all()
    called = ensemble["probability"] > rows.loc["exact", "threshold"]
    assert rows.loc["exact", "tp"] == (called & (ensemble["label"] == 1)).sum()
    assert rows.loc["cross_fitted", "f1"] == pytest.approx(
        f1_score(ensemble["label"], decide(ensemble))
    )
    assert rows.loc["grid", "paper_tp"] == 1126


def test_members_are_compared_as_their_columns_say(results: Path):
    ensemble = pd.read_parquet(results / "ensemble" / "oof.parquet")
    said = read(results / "study" / "members.json")
    names = said["members"]
    assert names == ["lightgbm", "xgboost", "pwee_v2_standard"]
    assert np.array(said["correlation"]) == pytest.approx(np.corrcoef(ensemble[names].T))
    errors = ensemble[names].sub(ensemble["label"], axis=0)
    assert np.array(said["error_correlation"]) == pytest.approx(np.corrcoef(errors.T))
    decided = [decide(ensemble.assign(probability=ensemble[name])) for name in names]
    expected = [[np.mean(a != b) for b in decided] for a in decided]
    assert np.array(said["disagreement"]) == pytest.approx(np.array(expected))
    whole = f1_score(ensemble["label"], decide(ensemble))
    assert said["mean"]["value"] == pytest.approx(whole)
    for name in names:
        rest = ensemble[[other for other in names if other != name]].mean(axis=1)
        without = f1_score(ensemble["label"], decide(ensemble.assign(probability=rest)))
        assert said["without"][name]["value"] == pytest.approx(without - whole)
    for weighting in said["weightings"].values():
        blended = np.zeros(len(ensemble))
        decisions = np.zeros(len(ensemble), dtype=bool)
        for fold, weights in weighting["weights"].items():
            assert sum(weights) == pytest.approx(1)
            own = (ensemble["fold"] == int(fold)).to_numpy()
            blended = ensemble[names].to_numpy() @ np.array(weights)
            decisions[own] = decide(ensemble.assign(probability=blended))[own]
        assert weighting["f1"]["value"] == pytest.approx(
            f1_score(ensemble["label"], decisions), abs=0.02
        )


def test_calibration_is_what_the_probabilities_say(results: Path):
    ensemble = pd.read_parquet(results / "ensemble" / "oof.parquet")
    labels, scores = ensemble["label"].to_numpy(), ensemble["probability"].to_numpy()
    said = read(results / "study" / "calibration.json")
    assert said["scores"]["ensemble"]["none"]["brier"] == pytest.approx(
        brier_score_loss(labels, scores)
    )
    isotonic = np.empty(len(labels))
    for fold in range(FOLDS):
        own = (ensemble["fold"] == fold).to_numpy()
        fitted = IsotonicRegression(out_of_bounds="clip").fit(scores[~own], labels[~own])
        isotonic[own] = fitted.predict(scores[own])
    assert said["scores"]["ensemble"]["isotonic"]["brier"] == pytest.approx(
        brier_score_loss(labels, isotonic)
    )
    for how, values in {"none": scores, "isotonic": isotonic}.items():
        error = 0.0
        for low in range(10):
            top = 1.1 if low == 9 else (low + 1) / 10
            inside = (values >= low / 10) & (values < top)
            if inside.any():
                error += inside.mean() * abs(values[inside].mean() - labels[inside].mean())
        assert said["scores"]["ensemble"][how]["ece"] == pytest.approx(error)


def test_importance_is_what_shuffled_and_masked_predictions_lose(results: Path):
    rows = pd.read_parquet(results / "study" / "importance.parquet")
    assert set(rows["method"]) == {"permutation", "left_out", "shapley"}
    for row in rows.itertuples():
        table = pd.read_parquet(results / "study" / "importance" / f"{row.model}.parquet")
        labels = table["label"]
        if row.method == "permutation":
            full, other = "full", f"{row.grouping}:{row.group}:0"
        else:
            full, other = "rgbn+sar_diff", "sar_diff" if row.group == "rgbn" else "rgbn"
        if row.method == "shapley":
            alone = "rgbn" if row.group == "rgbn" else "sar_diff"
            gains = [(other, full), ("none", alone)]
        else:
            gains = [(other, full)]
        lost = [
            roc_auc_score(labels, table[more]) - roc_auc_score(labels, table[less])
            for less, more in gains
        ]
        assert row.auc == pytest.approx(np.mean(lost))
    trees = rows[rows["model"] == "lightgbm"]
    by_modality = trees[trees["grouping"] == "modality"]
    assert by_modality["gain_share"].sum() == pytest.approx(1)
    for model in rows["model"].unique():
        table = pd.read_parquet(results / "study" / "importance" / f"{model}.parquet")
        full = "full" if "full" in table else "rgbn+sar_diff"
        # Files of models hold float32 weights: predicting again gives the stored predictions.
        again = table.set_index("id")[full]
        stored = oof_of(results, model).set_index("id")["probability"]
        assert again.loc[stored.index].to_numpy() == pytest.approx(stored.to_numpy(), abs=1e-5)
    shapley = rows[rows["method"] == "shapley"]
    network = pd.read_parquet(results / "study" / "importance" / "pwee_v2_standard.parquet")
    whole = roc_auc_score(network["label"], network["rgbn+sar_diff"])
    # What all inputs bring together is shared out, and 0.5 is the AUC of seeing nothing.
    none = roc_auc_score(network["label"], network["none"])
    assert shapley["auc"].sum() == pytest.approx(whole - none)


def test_the_page_holds_every_table_and_needs_no_other_file(results: Path):
    page = (results / "study.html").read_text(encoding="utf-8")
    for name in (*TABLES, "confusion", "speed", "members", "importance", "calibrated", "shares"):
        assert f'id="{name}"' in page
    assert "http" not in page
    assert page.count("data:image/png;base64,") == 3
    assert "– the same predictions –" in page
    assert page.count("stroke-dasharray") >= 1, "nothing is drawn as inside noise"
