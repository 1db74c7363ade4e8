"""What the figures show is what the files say, by independent plain computations."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from report.made_run import MadeRun

from landslip.ensemble.reliability import reliability
from landslip.ensemble.tables import read_ensemble_oof
from landslip.io.files import InputError, read_json, write_parquet
from landslip.report.composites import choose_composites, compose, limits, side_by_side
from landslip.report.cost import read_benchmarks, summarise
from landslip.report.importances import gain_shares
from landslip.report.mistakes import find_mistakes
from landslip.report.models_table import models_table
from landslip.report.patch_figure import choose_samples
from landslip.report.speed import speed_table

PROBABILITIES = hnp.arrays(np.float64, st.integers(1, 60), elements=st.floats(0, 1))


@given(PROBABILITIES, st.randoms(use_true_random=False))
def test_reliability_counts_every_patch_once(probability, random) -> None:
    labels = np.array([random.randint(0, 1) for _ in probability], dtype=np.int8)
    binned = reliability(labels, probability)
    edges = np.minimum(np.floor(probability * 10), 9)
    counts = np.array([(edges == edge).sum() for edge in np.unique(edges)])
    assert (binned.observed * counts).sum() == pytest.approx(labels.sum())
    assert (binned.predicted * counts).sum() == pytest.approx(probability.sum())
    assert (
        (binned.low <= binned.observed + 1e-12) & (binned.observed <= binned.high + 1e-12)
    ).all()


def test_the_interval_of_a_reliability_bin_is_wilsons() -> None:
    """Newcombe (1998), Table I: 81 of 263 and 0 of 20."""
    labels = np.repeat([1, 0, 0], [81, 263 - 81, 20]).astype(np.int8)
    binned = reliability(labels, np.repeat([0.55, 0.05], [263, 20]))
    assert binned.low.to_numpy() == pytest.approx([0, 0.2553], abs=5e-5)
    assert binned.high.to_numpy() == pytest.approx([0.1611, 0.3662], abs=5e-5)


def test_importance_is_the_mean_gain_over_folds_as_a_share(tmp_path: Path) -> None:
    gains = {"red_mean": (6.0, 2.0), "nir_max": (1.0, 1.0), "vv_std": (3.0, 7.0)}
    paths = []
    for fold in (0, 1):
        frame = pd.DataFrame({"feature": list(gains), "gain": [g[fold] for g in gains.values()]})
        paths.append(tmp_path / f"fold{fold}.parquet")
        write_parquet(paths[fold], frame.assign(splits=1))
    table = gain_shares(paths, top=2).set_index("feature")
    assert table.index.tolist() == ["vv_std", "red_mean"]
    assert table.loc["vv_std"].tolist() == pytest.approx([0.5, 0.3, 0.7])
    assert table.loc["red_mean"].tolist() == pytest.approx([0.4, 0.2, 0.6])


def test_trees_that_never_split_have_importances_of_zero(tmp_path: Path) -> None:
    frame = pd.DataFrame({"feature": ["red_mean"], "gain": [0.0], "splits": [0]})
    write_parquet(tmp_path / "fold0.parquet", frame)
    assert gain_shares([tmp_path / "fold0.parquet"])["share"].tolist() == [0.0]


def test_mistakes_are_all_wrong_decisions_the_most_certain_first(done: MadeRun) -> None:
    oof = read_ensemble_oof(done.path("ensemble/oof.parquet"))
    threshold = read_json(done.path("ensemble/threshold.json"))["threshold"]
    mistakes = find_mistakes(oof, threshold)
    wrong = (oof.probability > threshold) != (oof.labels == 1)
    assert sorted(mistakes["id"]) == sorted(np.array(oof.ids)[wrong])
    distance = (mistakes["probability"] - threshold).abs()
    assert all(part.is_monotonic_decreasing for _, part in distance.groupby(mistakes["mistake"]))
    assert (mistakes["label"] == (mistakes["mistake"] == "missed landslide")).all()


@given(st.integers(0, 9), st.integers(0, 9), st.integers(0, 99))
def test_samples_are_half_landslides_where_there_are_enough(positive, negative, seed) -> None:
    labels = np.random.default_rng(seed).permutation([1] * positive + [0] * negative)
    rows = choose_samples(labels.astype(np.int8), 6, seed)
    assert len(rows) == len(set(rows.tolist())) == min(6, positive + negative)
    slides = int(labels[rows].sum()) if len(rows) else 0
    assert slides == min(positive, max(3, 6 - negative), 6)
    assert labels[rows].tolist() == [1] * slides + [0] * (len(rows) - slides)


@pytest.mark.parametrize(
    ("modalities", "expected"),
    [
        (
            {"nir": "o", "blue": "o", "green": "o", "red": "o", "vv": "sar", "vh": "sar"},
            [("red", "green", "blue"), ("vv", "vh")],
        ),
        ({"red": "rgb", "green": "rgb", "blue": "rgb"}, [("red", "green", "blue")]),
        ({"b1": "x", "b2": "x", "b3": "y", "b4": "y"}, [("b1", "b2", "b3")]),
        ({"vv": "sar", "vh": "sar"}, [("vv", "vh"), ("vv", "vh")]),
        ({"coherence": "x"}, [("coherence", "coherence")]),
    ],
)
def test_composites_are_chosen_from_whatever_channels_there_are(modalities, expected) -> None:
    found = choose_composites(modalities)
    assert [composite.channels for composite in found] == expected
    patches = np.zeros((2, len(modalities), 5, 7), dtype=np.float32)
    for composite in found:
        assert compose(patches, list(modalities), composite).shape == (2, 5, 7, 3)


def test_the_third_colour_of_a_radar_composite_is_the_mean_of_two_channels() -> None:
    patches = np.random.default_rng(1).normal(-15, 4, (3, 2, 9, 9)).astype(np.float32)
    composite = choose_composites({"vv": "sar", "vh": "sar"})[1]
    assert composite.colours == "vv in red, vh in green, their mean in blue"
    blue = compose(patches, ["vv", "vh"], composite)[..., 2]
    mean = (patches[:, 0] + patches[:, 1]) / 2
    low, high = np.median(np.percentile(mean, (2, 98), axis=(1, 2)), axis=1)
    assert np.allclose(blue, np.clip((mean - low) / (high - low), 0, 1), atol=1e-5)


@given(hnp.arrays(np.float32, (2, 3, 3), elements=st.floats(-100, 100, width=32)))
def test_scales_have_an_extent_even_where_a_channel_is_constant(values) -> None:
    low, high = limits(values)
    assert high > low


def test_pictures_side_by_side_are_kept_as_they_are() -> None:
    pictures = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    joined = side_by_side(pictures, gap=1)
    assert joined.shape == (3, 9)
    assert np.array_equal(joined[:, :4], pictures[0])
    assert np.array_equal(joined[:, 5:], pictures[1])
    assert np.isnan(joined[:, 4]).all()


def test_time_and_memory_are_summed_over_folds_and_gaps_are_counted(tmp_path: Path) -> None:
    records = [{"s": 10.0, "max_rss": 1000.0, "mean_load": 150.0}]
    records.append({"s": 30.0, "max_rss": "NA", "mean_load": "NA"})
    paths = {f"models/a/fold{fold}": tmp_path / f"{fold}.jsonl" for fold in range(3)}
    for fold, record in enumerate(records):
        paths[f"models/a/fold{fold}"].write_text(json.dumps(record) + "\n")
    row = summarise(read_benchmarks(paths)).iloc[0]
    assert (row["part"], row["jobs"], row["missing"]) == ("models/a", 2, 1)
    assert (row["seconds"], row["longest_seconds"], row["load"]) == (40.0, 30.0, 150.0)
    assert row["memory_mb"] == pytest.approx(1000 * 1024**2 / 1e6)


def test_predictions_in_shards_are_a_row_beside_the_trainings(tmp_path: Path) -> None:
    labels = ["a/fold0", "a/fold1", "a/predict_shard0", "a/predict_shard10"]
    jobs = read_benchmarks(dict.fromkeys(labels, tmp_path / "none"))
    assert jobs["part"].tolist() == ["a", "a", "a/predict", "a/predict"]


def test_a_repeated_job_has_its_mean_time_and_highest_memory(tmp_path: Path) -> None:
    lines = [json.dumps({"s": s, "max_rss": 100 * s, "mean_load": 1}) for s in (1.0, 3.0)]
    (tmp_path / "job.jsonl").write_text("\n".join(lines) + "\n")
    row = read_benchmarks({"job": tmp_path / "job.jsonl"}).iloc[0]
    assert row["seconds"] == 2.0
    assert row["memory_mb"] == pytest.approx(300 * 1024**2 / 1e6)


def test_memory_that_was_measured_before_python_started_is_none(tmp_path: Path) -> None:
    line = json.dumps({"s": 0.4, "max_rss": 0.55, "mean_load": 0.0})
    (tmp_path / "job.jsonl").write_text(line + "\n")
    row = read_benchmarks({"job": tmp_path / "job.jsonl"}).iloc[0]
    assert row["seconds"] == 0.4
    assert np.isnan(row["memory_mb"])


def test_a_broken_benchmark_is_named(tmp_path: Path) -> None:
    (tmp_path / "job.jsonl").write_text('{"s": 1.')
    with pytest.raises(InputError, match=r"job\.jsonl"):
        read_benchmarks({"job": tmp_path / "job.jsonl"})


def test_speed_is_the_mean_over_folds_and_memory_the_highest(done: MadeRun) -> None:
    costs = {
        name: [read_json(path) for path in paths]
        for name, paths in done.of_folds(("pwee_v3", "xgboost"), "cost.json").items()
    }
    table = speed_table(costs).set_index("model")
    assert table.loc["pwee_v3", "seconds_per_epoch"] == pytest.approx((80 + 81 + 82) / 3 / 20)
    assert table.loc["pwee_v3", "prediction_seconds"] == 5.0
    assert table.loc["pwee_v3", ["encoder", "instances"]].tolist() == ["test_vit2", 2]
    assert table.loc["pwee_v3", ["memory_mb", "resumed"]].tolist() == [902.0, 1]
    assert table.loc["xgboost", "seconds_per_epoch"] == 81.0
    assert np.isnan(table.loc["xgboost", "training_patches_per_second"])


def test_the_table_of_models_says_what_the_metrics_say(done: MadeRun) -> None:
    metrics = read_json(done.path("ensemble/metrics.json"))
    paper = pd.DataFrame(
        {"model": ["xgboost"], "oof_f1": [0.8708], "oof_auc": [0.9843], "overall_f1": [0.8636]}
    )
    table = models_table(metrics, paper).set_index("model")
    own = metrics["members"]["xgboost"]
    assert table.loc["xgboost", "f1_at_half"] == own["f1_at_half"]
    assert table.loc["xgboost", "f1_high"] == own["intervals"]["f1"][1]
    assert table.loc["xgboost", "paper_oof_f1"] == 0.8708
    assert table.loc["ensemble", "test_overall"] == metrics["test"]["ensemble"]["overall"]
    assert table["paper_oof_f1"].isna().sum() == len(table) - 1
