"""Every number of the ablation's tables of variants, computed again, plainly."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from ablation import plainly
from ablation.plainly import decide, difference, f1_of, interval
from ablation.small_ablation import FOLDS, MEMBERS, PATCHES, RESAMPLES, TABLES, oof_of
from sklearn.metrics import f1_score, precision_score, recall_score, roc_auc_score

from landslip.ablation.speed import write_speed
from project import ROOT
from runs import read


def test_plain_scores_are_scikit_learns():
    random = np.random.default_rng(1)
    labels = pd.Series(random.integers(0, 2, 50))
    scores = pd.Series(random.integers(0, 9, 50) / 9)
    weights = random.integers(0, 4, 50).astype(float)
    for drawn in (None, weights):
        f1 = f1_score(labels, scores > 0.4, sample_weight=drawn)
        assert f1_of(labels, (scores > 0.4).to_numpy())(drawn) == pytest.approx(f1)
        auc = roc_auc_score(labels, scores, sample_weight=drawn)
        assert plainly.auc_of(labels, scores)(drawn) == pytest.approx(auc)


def test_every_file_of_the_study_is_computed_again_here(results: Path):
    folder = results / "ablation"
    made = {path.stem for path in folder.glob("*.parquet")}
    assert made == {*TABLES, "confusion", "speed", "importance"}
    assert {path.stem for path in folder.glob("*.json")} == {"members", "calibration"}


@pytest.mark.parametrize("table", TABLES)
def test_every_row_is_what_its_oof_files_say(results: Path, table: str):
    rows = pd.read_parquet(results / "ablation" / f"{table}.parquet")
    against = {row.variant: row.model for row in rows.itertuples()}
    against["ensemble"] = "+".join(MEMBERS)
    assert len(rows) == TABLES[table]
    for row in rows.itertuples():
        oof = oof_of(results, row.model)
        labels, decided = oof["label"], decide(oof)
        f1 = f1_of(labels, decided)
        assert (row.patches, row.positives) == (PATCHES, labels.sum())
        assert row.f1 == pytest.approx(f1(None))
        assert (row.f1_low, row.f1_high) == pytest.approx(interval(f1, PATCHES, RESAMPLES))
        assert row.precision == pytest.approx(precision_score(labels, decided, zero_division=0))
        assert row.recall == pytest.approx(recall_score(labels, decided))
        assert row.auc == pytest.approx(roc_auc_score(labels, oof["probability"]))
        assert (row.tn, row.fp, row.fn, row.tp) == plainly.counts(labels, decided)
        base = decide(oof_of(results, against.get(row.against, row.against)))
        change = difference(f1, f1_of(labels, base))
        low, high = interval(change, PATCHES, RESAMPLES)
        assert row.difference == pytest.approx(change(None))
        assert (row.difference_low, row.difference_high) == pytest.approx((low, high), abs=1e-12)
        assert row.contains_zero == (low <= 0 <= high)
        # A new patch is seen by every fold's model of every member.
        rates = [
            read(results / f"models/{name}/fold{fold}/cost.json")["prediction_patches_per_second"]
            for name in row.model.split("+")
            for fold in range(FOLDS)
        ]
        seconds = sum(1000 / rate for rate in rates)
        assert row.seconds_per_1000_patches == pytest.approx(seconds)


def test_the_row_of_all_members_is_the_ensembles_own_figure(results: Path, ensemble: pd.DataFrame):
    rows = pd.read_parquet(results / "ablation" / "scenarios.parquet").set_index("variant")
    expected = f1_score(ensemble["label"], decide(ensemble))
    assert rows.loc["all", "f1"] == pytest.approx(expected)


def test_the_papers_figures_stand_beside_ours(results: Path):
    published = pd.read_csv(ROOT / "resources" / "paper" / "ablation.csv")
    compared = 0
    for table in TABLES:
        rows = pd.read_parquet(results / "ablation" / f"{table}.parquet").set_index("variant")
        own = published[published["table"] == table].set_index("variant")
        for variant in rows.index:
            for key in ("oof_f1", "oof_auc", "overall_f1"):
                expected = own.loc[variant, key] if variant in own.index else np.nan
                assert rows.loc[variant, f"paper_{key}"] == pytest.approx(expected, nan_ok=True)
                compared += bool(np.isfinite(expected))
    assert compared > 20
    rows = pd.read_parquet(results / "ablation" / "models.parquet").set_index("variant")
    assert rows.loc["ensemble", "paper_oof_f1"] == 0.9216
    assert rows.loc["lightgbm", "paper_overall_f1"] == 0.8632


def test_confusion_counts_every_patch_once(results: Path, ensemble: pd.DataFrame):
    rows = pd.read_parquet(results / "ablation" / "confusion.parquet").set_index("variant")
    labels, scores = ensemble["label"], ensemble["probability"].to_numpy()
    grid = [f1_score(labels, scores > cut / 100) for cut in range(1, 99)]
    cuts = {
        "half": 0.5,
        "grid": (1 + int(np.argmax(grid))) / 100,
        "exact": plainly.best_cut(ensemble),
    }
    decided = {name: scores > cut for name, cut in cuts.items()} | {
        "cross_fitted": decide(ensemble)
    }
    assert list(rows.index) == list(decided)
    for name, called in decided.items():
        row = rows.loc[name]
        assert (row.tn, row.fp, row.fn, row.tp) == plainly.counts(labels, called)
        f1 = f1_of(labels, called)
        assert row.f1 == pytest.approx(f1(None))
        assert (row.f1_low, row.f1_high) == pytest.approx(interval(f1, PATCHES, RESAMPLES))
        assert rows["threshold"][name] == pytest.approx(cuts.get(name, np.nan), nan_ok=True)
    assert rows.loc["grid", "paper_tp"] == 1126
    assert rows.drop("grid")["paper_tp"].isna().all()


def test_speed_is_what_the_folds_took(results: Path):
    rows = pd.read_parquet(results / "ablation" / "speed.parquet").set_index("model")
    networks = {path.parts[-3] for path in results.glob("models/*/fold0/model.safetensors")}
    assert set(rows.index) == networks
    assert len(networks) == 3
    for name, row in rows.iterrows():
        costs = [read(results / f"models/{name}/fold{fold}/cost.json") for fold in range(FOLDS)]
        epochs = [cost["training_seconds"] / cost["epochs"] for cost in costs]
        assert row["seconds_per_epoch"] == pytest.approx(np.mean(epochs))
        predicted = [cost["prediction_seconds"] for cost in costs]
        assert row["prediction_seconds"] == pytest.approx(np.mean(predicted))
        assert row["instances"] == 2
        assert row["encoder"] == " + ".join(dict.fromkeys(costs[0]["encoders"]))
    # timm's test models are not in the paper; test_the_papers_speed compares one that is.
    assert rows["paper_epoch_seconds"].isna().all()


def test_the_papers_speed_stands_beside_the_same_encoders(tmp_path: Path):
    cost = {
        "model": "pwee_v3", "fold": 0, "threads": 2, "seconds": 120.0, "training_patches": 900,
        "precision": "bfloat16",
        "kind": "network", "encoders": ["vit_pwee_patch16_reg1_gap_256.sbb_in1k"] * 3,
        "device": "cuda", "epochs": 2, "training_seconds": 100.0, "prediction_seconds": 5.0,
        "training_patches_per_second": 100.0, "prediction_patches_per_second": 200.0,
        "peak_memory_mb": 1.0, "peak_device_memory_mb": None, "resumed": 0,
    }  # fmt: skip
    (tmp_path / "cost.json").write_text(json.dumps(cost))
    write_speed(
        costs={"pwee_v3": [tmp_path / "cost.json"]},
        paper=ROOT / "resources" / "paper" / "speed.csv",
        target=tmp_path / "speed.parquet",
    )
    (row,) = pd.read_parquet(tmp_path / "speed.parquet").to_dict("records")
    # 3:10 and 0:16 in the paper's Table 9.
    assert (row["paper_epoch_seconds"], row["paper_inference_seconds"]) == (190, 16)
    assert row["seconds_per_epoch"] == 50
