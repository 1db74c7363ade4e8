"""metrics.json: every model on the same patches, and on the test set where labels are known."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from ensemble.small_run import EMPTY, PATCHES, TEST_PATCHES, Run, rewrite, write_ablation
from sklearn.metrics import average_precision_score, brier_score_loss, f1_score, roc_auc_score

from landslip.ensemble.evaluate import evaluate, overall, split_public
from landslip.ensemble.tables import read_ensemble_oof
from landslip.io.files import InputError, read_json, read_parquet, write_parquet


def run(done: Run, seed: int = 42) -> dict[str, Any]:
    target = done.folder / "metrics.json"
    evaluate(
        oof=done.ensemble_oof,
        test=done.ensemble_test,
        threshold=done.threshold,
        manifest=done.manifest,
        bootstrap=200,
        seed=seed,
        target=target,
    )
    written: dict[str, Any] = json.loads(target.read_text(), parse_constant=pytest.fail)
    return written


@pytest.fixture
def metrics(done: Run) -> dict[str, Any]:
    done.gather()
    return run(done)


def test_measures_are_those_of_scikit_learn(metrics: dict[str, Any], done: Run) -> None:
    table = read_ensemble_oof(done.ensemble_oof)
    models = {"ensemble": table.probability, **table.members}
    measured = {"ensemble": metrics["ensemble"], **metrics["members"]}
    assert models.keys() == measured.keys()
    for name, scores in models.items():
        values = measured[name]
        called = scores > metrics["threshold"]
        assert values["f1"] == pytest.approx(f1_score(table.labels, called))
        assert values["f1_at_half"] == pytest.approx(f1_score(table.labels, scores > 0.5))
        assert values["auc"] == pytest.approx(roc_auc_score(table.labels, scores))
        assert values["brier"] == pytest.approx(brier_score_loss(table.labels, scores))
        expected = average_precision_score(table.labels, scores)
        assert values["average_precision"] == pytest.approx(expected)
        assert sum(values["confusion"].values()) == PATCHES
        assert values["confusion"]["tp"] == (called & (table.labels == 1)).sum()


def test_every_interval_holds_its_value(metrics: dict[str, Any]) -> None:
    for values in (metrics["ensemble"], *metrics["members"].values()):
        for key, (low, high) in values["intervals"].items():
            assert low <= values[key] <= high, key


def test_the_ensemble_agrees_with_threshold_json(metrics: dict[str, Any], done: Run) -> None:
    chosen = read_json(done.threshold)
    assert metrics["ensemble"]["f1"] == chosen["f1"] == chosen["exact"]["f1"]
    assert metrics["ensemble"]["own_threshold"] == chosen["exact"]["threshold"]
    assert metrics["ensemble"]["cross_fitted_f1"] == chosen["cross_fitted"]["f1"]


def test_a_members_own_threshold_is_its_best(metrics: dict[str, Any]) -> None:
    for values in metrics["members"].values():
        assert values["f1_at_own_threshold"] >= max(values["f1"], values["f1_at_half"])
        assert values["f1_at_own_threshold"] >= values["cross_fitted_f1"]


def test_without_test_labels_the_test_part_is_null_and_says_why(metrics: dict[str, Any]) -> None:
    assert metrics["test"] is None
    assert "not known" in metrics["test_reason"]


@pytest.fixture
def labelled(tmp_path: Path) -> Run:
    done = write_ablation(tmp_path, test_labels=(np.arange(TEST_PATCHES) % 3 == 0).astype(np.int8))
    done.gather()
    return done


def test_test_labels_add_test_scores(labelled: Run) -> None:
    metrics = run(labelled)
    test = read_parquet(labelled.ensemble_test)
    usable = test["probability"].notna().to_numpy()
    labels = (np.arange(TEST_PATCHES) % 3 == 0)[usable]
    columns = {"ensemble": "probability", "trees": "trees", "network": "network"}
    for name, column in columns.items():
        scores = test[column].to_numpy(dtype=np.float64)
        part = metrics["test"]
        values = part["ensemble"] if name == "ensemble" else part["members"][name]
        called = scores[usable] > metrics["threshold"]
        public = split_public(usable.sum(), 42)
        expected = {
            "f1": f1_score(labels, called),
            "public_f1": f1_score(labels[public], called[public]),
            "private_f1": f1_score(labels[~public], called[~public]),
        }
        assert {key: values[key] for key in expected} == pytest.approx(expected)
        oof = metrics["ensemble"] if name == "ensemble" else metrics["members"][name]
        test_f1 = 0.3 * expected["public_f1"] + 0.7 * expected["private_f1"]
        assert values["overall"] == pytest.approx(0.5 * oof["f1"] + 0.5 * test_f1)
    assert metrics["test"]["patches"] == TEST_PATCHES - len(EMPTY)
    assert metrics["test"]["without_prediction"] == len(EMPTY)
    assert metrics["test_reason"] is None


def test_patches_that_lack_sensors_are_measured_by_the_decisions_in_force(labelled: Run) -> None:
    """As if every second one were decided by a threshold of 0.1."""
    own = np.where(np.arange(TEST_PATCHES) % 2, read_json(labelled.threshold)["threshold"], 0.1)

    def decide(test: pd.DataFrame) -> pd.DataFrame:
        called = (test["probability"] > own).astype("Int8")
        return test.assign(landslide=called.mask(test["probability"].isna()))

    at_one = read_parquet(labelled.ensemble_test)["landslide"]
    rewrite(labelled.ensemble_test, decide)
    part, test = run(labelled)["test"], read_parquet(labelled.ensemble_test)
    assert (test["landslide"] != at_one).any()
    usable = test["probability"].notna().to_numpy()
    called = test["landslide"][usable].to_numpy(dtype=np.bool_)
    labels = (np.arange(TEST_PATCHES) % 3 == 0)[usable]
    public = split_public(usable.sum(), 42)
    found = part["ensemble"]
    assert found["f1"] == pytest.approx(f1_score(labels, called))
    assert found["public_f1"] == pytest.approx(f1_score(labels[public], called[public]))
    assert found["confusion"]["tp"] == (labels & called).sum()
    assert found["confusion"]["fp"] == (~labels & called).sum()


def test_the_overall_score_is_the_papers() -> None:
    # The ensemble's row of the paper's second table; its scores are rounded to four places.
    assert overall(0.9216, 0.9409, 0.9058) == pytest.approx(0.9190, abs=1e-4)


def test_the_public_part_is_30_percent_and_depends_on_the_seed_alone() -> None:
    assert split_public(1000, 1).sum() == 300
    np.testing.assert_array_equal(split_public(1000, 1), split_public(1000, 1))
    assert (split_public(1000, 1) != split_public(1000, 2)).any()


def test_some_test_labels_are_used_and_the_others_counted(labelled: Run) -> None:
    manifest = read_parquet(labelled.manifest)
    manifest["label"] = manifest["label"].mask(manifest.index >= len(manifest) - 10)
    write_parquet(labelled.manifest, manifest)
    test = run(labelled)["test"]
    assert test["without_label"] == 10
    assert test["patches"] == TEST_PATCHES - 10 - len(EMPTY)


def test_one_class_only_gives_null_for_rankings_and_a_warning(tmp_path: Path) -> None:
    done = write_ablation(tmp_path, labels=np.zeros(PATCHES, dtype=np.int8))
    done.gather()
    metrics = run(done)
    for values in (metrics["ensemble"], *metrics["members"].values()):
        assert values["auc"] is None
        assert values["average_precision"] is None
        assert values["intervals"]["auc"] is None
        assert values["f1"] == values["cross_fitted_f1"] == 0
    assert "not a landslide" in metrics["warnings"][0]


def test_a_member_that_learned_nothing_is_named_with_its_folds(
    labelled: Run, caplog: pytest.LogCaptureFixture
) -> None:
    for fold in (1, 3):
        rewrite(labelled.oof["trees"][fold], lambda frame: frame.assign(probability=0.25))
    labelled.gather()
    metrics = run(labelled)
    assert metrics["members"]["trees"]["constant_folds"] == [1, 3]
    assert metrics["members"]["network"]["constant_folds"] == []
    [sentence] = metrics["warnings"]
    assert sentence.startswith("the member trees learned nothing in folds 1, 3: there it gives")
    assert sentence in caplog.text


def test_models_that_rank_no_better_than_chance_are_named(labelled: Run) -> None:
    for path in labelled.oof["network"]:
        rewrite(path, lambda frame: frame.assign(probability=1 - frame["probability"]))
    labelled.gather()
    metrics = run(labelled)
    assert "the member network cannot be told from chance: its AUC is 0.0" in str(
        metrics["warnings"]
    )
    assert "trees" not in str(metrics["warnings"])


def test_the_same_seed_gives_the_same_file(labelled: Run) -> None:
    first = run(labelled)
    assert run(labelled) == first
    assert run(labelled, seed=43) != first


def test_predictions_of_other_test_patches_than_the_manifests_are_refused(
    labelled: Run,
) -> None:
    manifest = read_parquet(labelled.manifest)
    write_parquet(labelled.manifest, manifest[:-1])
    with pytest.raises(InputError, match=r"patch test_\d+ in row 49, expected none"):
        run(labelled)
