"""Test patches are predicted in jobs of their own: what they redo."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from landslip.simulation.write import simulate_patches
from runs import SMALL, planned, snakemake

# A tree model and a network on patches of the user's, scaled by what training patches hold.
STUDY: dict[str, Any] = {
    **SMALL,
    "data": {"folder": "patches"},
    "models": {**SMALL["models"], "xgboost": None},
    "scaling": {"fit": "train"},
}
PREDICTED = "results/ensemble/test.parquet"
PREDICTION = {"predict_trees", "predict_network", "predict_test"}


def do(folder: Path, *arguments: str, config: dict[str, Any] = STUDY) -> str:
    """What a run of the workflow says that must end well."""
    answer = snakemake(folder, *arguments, config=config)
    assert answer.returncode == 0, answer.stdout[-3000:] + answer.stderr[-6000:]
    return answer.stderr


def plan(folder: Path, *arguments: str) -> dict[str, int]:
    """Jobs that the ensemble's test predictions would need now."""
    return planned(
        snakemake(folder, "-n", "--quiet", "rules", *arguments, "--", PREDICTED, config=STUDY)
    )


@pytest.fixture(scope="module")
def predicted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run whose test patches are predicted. Tests that change something copy it."""
    folder = tmp_path_factory.mktemp("predicted")
    simulate_patches(
        folder / "patches", **SMALL["data"]["simulation"], test_positives=0.2, seed=1, workers=1
    )
    do(folder, "--", PREDICTED)
    return folder


@pytest.mark.parametrize(
    ("model", "fit", "reads"),
    [
        ("lightgbm", "all", False),
        ("xgboost", "all", False),
        ("pwee_v2_standard", "all", True),
        ("pwee_v2_standard", "train", False),
        ("pwee_v2_standard", "fold", False),
    ],
)
def test_a_training_needs_test_patches_only_where_scaling_is_fitted_on_them(
    model: str, fit: str, reads: bool, tmp_path: Path
):
    config = {**SMALL, "scaling": {"fit": fit}}
    target = f"results/models/{model}/fold0/oof.parquet"
    answer = snakemake(tmp_path, "-n", "--", target, config=config)
    assert answer.returncode == 0, answer.stderr
    assert "results/store/train" in answer.stdout
    assert ("results/store/test" in answer.stdout) == reads


@pytest.mark.parametrize("dropout", [0.0, 0.3])
def test_only_a_network_that_does_without_sensors_is_told_which_of_them_patches_lack(
    dropout: float, tmp_path: Path
):
    network = SMALL["models"]["pwee_v2_standard"]
    training = {**network["training"], "modality_dropout": dropout}
    models = {**SMALL["models"], "pwee_v2_standard": {**network, "training": training}}
    answer = snakemake(tmp_path, "-n", "--", PREDICTED, config={**SMALL, "models": models})
    assert answer.returncode == 0, answer.stderr
    jobs = {part.split(":")[0]: part for part in answer.stdout.split("\nrule ")[1:]}
    told = "results/data/manifest.parquet" in jobs["predict_network"].split("output:")[0]
    assert told == ("predict_held_out" in jobs) == bool(dropout)
    assert "results/ensemble/oof.parquet" in jobs["predict_test"].split("output:")[0]


def test_other_test_patches_retrain_nothing(predicted: Path):
    assert plan(predicted) == {}
    jobs = plan(predicted, "-R", "results/store/test_shards/shard0.h5")
    data = {"build_store", "join_store", "compute_statistics"}
    assert set(jobs) - data == PREDICTION
    assert (jobs["predict_trees"], jobs["predict_network"]) == (1, 1)


def test_a_new_test_patch_is_predicted_by_the_models_that_stand(predicted: Path, tmp_path: Path):
    """In two calls, as the README says: the data first, then the rest."""
    folder = tmp_path / "run"
    shutil.copytree(predicted, folder)
    patches = folder / "patches"
    known = next((patches / "test_data").iterdir())
    np.save(patches / "test_data" / "ID_new.npy", np.load(known) + 1)
    with (patches / "Test.csv").open("a") as table:
        table.write("ID_new\n")
    digests = [
        f"results/{kind}/{split}.sha256"
        for kind in ("store", "features")
        for split in ("train", "test")
    ]
    do(folder, "--", "results/data/folds.parquet", *digests, "results/features/scaling.parquet")
    assert set(plan(folder)) == PREDICTION
