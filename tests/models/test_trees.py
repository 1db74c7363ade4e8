"""Tree models: deterministic, stored whole, loaded only as they were stored."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import pandas as pd
import pytest
from small_trees import COLUMNS, KINDS, SETTINGS, make_features, train

from landslip.data.folds import split_digest
from landslip.io.files import (
    InputError,
    file_digest,
    read_json,
    read_parquet,
    write_json,
    write_parquet,
)
from landslip.models import lightgbm_trees
from landslip.models.boosting import evaluated_rounds
from landslip.models.importance import mean_importance
from landslip.models.interruption import Interrupted
from landslip.models.predictions import read_oof
from landslip.models.settings import TREES
from landslip.models.tree_files import load_trees
from project import ROOT


@pytest.fixture(scope="module")
def study_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_features(tmp_path_factory.mktemp("trees"))


@pytest.fixture(scope="module", params=KINDS)
def trained(
    request: pytest.FixtureRequest, study_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A folder with a model of each kind."""
    folder = tmp_path_factory.mktemp(request.param)
    train(study_folder, folder, request.param)
    return folder


def outputs(folder: Path) -> list[Path]:
    """All but the folder in which they are kept as well."""
    return [file for file in folder.iterdir() if file.is_file()]


def copy_of(folder: Path, target: Path) -> Path:
    """A copy that a test may damage; gives the path of its model.json."""
    for file in outputs(folder):
        (target / file.name).write_bytes(file.read_bytes())
    return target / "model.json"


def digests(folder: Path) -> dict[str, str]:
    """Of all files but the one that holds times."""
    return {file.name: file_digest(file) for file in outputs(folder) if file.name != "cost.json"}


def test_predictions_are_of_the_left_out_fold(trained: Path, study_folder: Path) -> None:
    folds = read_parquet(study_folder / "folds.parquet")
    oof = read_oof(trained / "oof.parquet")
    expected = folds[folds["fold"] == 1]
    assert oof.frame["id"].tolist() == expected["id"].tolist()
    assert oof.frame["label"].tolist() == expected["label"].tolist()
    assert oof.split_digest == split_digest(folds)


def test_the_model_learns_what_the_labels_follow(trained: Path) -> None:
    oof = read_oof(trained / "oof.parquet").frame
    positive = oof["label"] == 1
    assert oof["probability"][positive].median() > 2 * oof["probability"][~positive].median()


def test_a_stored_model_predicts_what_it_predicted(trained: Path, study_folder: Path) -> None:
    model = load_trees(trained / "model.json")
    table = read_parquet(study_folder / "train.parquet").set_index("id")
    oof = read_oof(trained / "oof.parquet").frame
    features = table.loc[oof["id"], model.columns].to_numpy()
    np.testing.assert_array_equal(model.predict(features), oof["probability"])
    np.testing.assert_array_equal(model.predict(features[:1]), oof["probability"][:1])
    assert model.predict(features[:0]).shape == (0,)


@pytest.mark.parametrize("at_once", [1, 7, 30, 250])
def test_trees_applied_some_at_a_time_predict_what_lightgbm_itself_does(
    at_once: int, study_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trees = load_trees(train(study_folder, tmp_path, "lightgbm"))
    monkeypatch.setattr(lightgbm_trees, "_TREES_AT_ONCE", at_once)
    features = np.random.default_rng(4).normal(size=(100, len(COLUMNS)))
    own = lightgbm.Booster(model_file=tmp_path / "model.txt").predict(features)
    np.testing.assert_allclose(trees.predict(features), own, rtol=1e-12)


def test_a_model_is_applied_on_several_threads_as_on_one(trained: Path) -> None:
    features = np.random.default_rng(3).normal(size=(500, len(COLUMNS)))
    one, two = (load_trees(trained / "model.json", threads=threads) for threads in (1, 2))
    np.testing.assert_array_equal(one.predict(features), two.predict(features))


@pytest.mark.parametrize("kind", KINDS)
def test_trees_do_not_depend_on_the_number_of_threads(
    kind: str, study_folder: Path, tmp_path: Path
) -> None:
    for threads in (1, 2):
        train(study_folder, tmp_path / str(threads), kind, threads=threads)
    assert digests(tmp_path / "1") == digests(tmp_path / "2")


def train_in_a_process(
    done: Path, target: Path, kind: str, *, gpu: bool, environment: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    script = (
        "import sys; from pathlib import Path; from small_trees import train;"
        f"train(Path(sys.argv[1]), Path(sys.argv[2]), {kind!r}, gpu={gpu})"
    )
    path = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
    return subprocess.run(
        [sys.executable, "-c", script, str(done), str(target)],
        env=os.environ | {"PYTHONPATH": path} | environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
def test_trees_do_not_depend_on_locale_time_zone_or_hash_seed(
    trained: Path, study_folder: Path, tmp_path: Path
) -> None:
    kind = read_json(trained / "model.json")["kind"]
    elsewhere = {"LC_ALL": "de_DE.UTF-8", "TZ": "Asia/Kathmandu", "PYTHONHASHSEED": "7"}
    ended = train_in_a_process(study_folder, tmp_path, kind, gpu=False, environment=elsewhere)
    assert ended.returncode == 0, ended.stderr
    assert digests(tmp_path) == digests(trained)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_training_asked_to_end_says_so_and_leaves_nothing(
    number: signal.Signals,
    kind: str,
    study_folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The signal comes while the weights are written."""
    caplog.set_level("INFO")
    fsync = os.fsync
    monkeypatch.setattr(os, "fsync", lambda file: (os.kill(os.getpid(), number), fsync(file)))
    with pytest.raises(Interrupted) as stopped:
        train(study_folder, tmp_path, kind)
    assert stopped.value.code == 128 + number
    assert (
        caplog.messages[-1] == f"stopped by {number.name}: this fold starts anew with the next run"
    )
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("kind", KINDS)
def test_another_seed_or_fold_gives_other_trees(
    kind: str, study_folder: Path, tmp_path: Path
) -> None:
    variants: dict[str, dict[str, Any]] = {"a": {}, "b": {"seed": 43}, "c": {"fold": 2}}
    stored = set()
    for name, changes in variants.items():
        train(study_folder, tmp_path / name, kind, **changes)
        stored.add(file_digest(tmp_path / name / f"model{TREES[kind].suffix}"))
    assert len(stored) == 3


@pytest.mark.parametrize("kind", KINDS)
def test_only_the_named_columns_are_read(kind: str, study_folder: Path, tmp_path: Path) -> None:
    columns = COLUMNS[:4][::-1]
    described = {"inputs": ["band1", "band0"], "statistics": ["std", "mean"]}
    settings = SETTINGS[kind].model_copy(update=described)
    description = train(study_folder, tmp_path, kind, settings=settings)
    assert load_trees(description).columns == columns
    assert read_parquet(tmp_path / "importance.parquet")["feature"].tolist() == columns


def test_importance_finds_the_columns_that_matter(trained: Path) -> None:
    mean = mean_importance([trained / "importance.parquet"] * 2)
    assert set(mean["feature"][:3]) == set(COLUMNS[:3])
    assert mean["gain"].is_monotonic_decreasing


def test_mean_importance_is_the_mean_over_folds(tmp_path: Path) -> None:
    for fold, (gain, splits) in enumerate([([1.0, 4.0], [1, 3]), ([3.0, 0.0], [2, 0])]):
        table = pd.DataFrame({"feature": ["b", "a"], "gain": gain, "splits": splits})
        write_parquet(tmp_path / f"{fold}.parquet", table)
    mean = mean_importance([tmp_path / "0.parquet", tmp_path / "1.parquet"])
    assert mean.to_dict("list") == {"feature": ["a", "b"], "gain": [2.0, 2.0], "splits": [1.5, 1.5]}


def test_importance_of_models_with_other_features_has_no_mean(tmp_path: Path) -> None:
    for name in "ab":
        table = pd.DataFrame({"feature": [name], "gain": [1.0], "splits": [1]})
        write_parquet(tmp_path / f"{name}.parquet", table)
    with pytest.raises(InputError, match="different features"):
        mean_importance([tmp_path / "a.parquet", tmp_path / "b.parquet"])


def test_history_ends_with_the_loss_of_the_stored_predictions(trained: Path) -> None:
    history = read_parquet(trained / "history.parquet")
    assert history["step"].tolist() == [float(step) for step in range(1, 31)]
    assert history["train_loss"].iloc[-1] < history["train_loss"].iloc[0]
    oof = read_oof(trained / "oof.parquet").frame
    right = np.where(oof["label"] == 1, oof["probability"], 1 - oof["probability"])
    assert history["validation_loss"].iloc[-1] == pytest.approx(-np.log(right).mean(), rel=1e-5)


@pytest.mark.parametrize("trees", [1, 7, 200, 201, 12000])
def test_history_holds_at_most_200_rounds_with_first_and_last(trees: int) -> None:
    evaluated = evaluated_rounds(trees)
    assert len(evaluated) == min(trees, 200)
    assert min(evaluated) == 1
    assert max(evaluated) == trees


def test_a_flipped_byte_in_the_weights_is_refused(trained: Path, tmp_path: Path) -> None:
    description = copy_of(trained, tmp_path)
    weights = tmp_path / read_json(description)["weights"]
    data = bytearray(weights.read_bytes())
    data[len(data) // 2] ^= 1
    weights.write_bytes(data)
    with pytest.raises(InputError, match=f"{weights.name} is damaged"):
        load_trees(description)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format_version": 2}, "format version 2, expected 1"),
        ({"kind": "forest"}, f"kind 'forest' is not among {', '.join(KINDS)}"),
        ({"weights": "../model.txt"}, "name of a file beside it"),
        ({"weights": "/model.txt"}, "name of a file beside it"),
        ({"weights": "..\\model.txt"}, "name of a file beside it"),
        ({"weights": ".."}, "name of a file beside it"),
        ({"weights": 3}, "name of a file beside it"),
        ({"weights": "absent.txt"}, "no file beside it"),
        ({"columns": ["other"]}, r"does not hold the trees .* model\.json describes"),
    ],
)
def test_a_description_that_does_not_fit_is_refused(
    trained: Path, tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    description = copy_of(trained, tmp_path)
    write_json(description, read_json(description) | changes)
    with pytest.raises(InputError, match=message):
        load_trees(description)


def test_a_description_that_lacks_a_key_is_refused(trained: Path, tmp_path: Path) -> None:
    description = copy_of(trained, tmp_path)
    told = read_json(description)
    del told["sha256"]
    write_json(description, told)
    with pytest.raises(InputError, match="sha256"):
        load_trees(description)


def test_weights_that_are_a_link_are_refused(trained: Path, tmp_path: Path) -> None:
    description = copy_of(trained, tmp_path)
    weights = tmp_path / read_json(description)["weights"]
    weights.unlink()
    weights.symlink_to(trained / weights.name)
    with pytest.raises(InputError, match="is a link; put the file itself there"):
        load_trees(description)


def test_a_model_refuses_other_columns_and_values_that_are_not_finite(trained: Path) -> None:
    model = load_trees(trained / "model.json")
    with pytest.raises(ValueError, match=r"expected \(n, 20\)"):
        model.predict(np.zeros((2, 19)))
    with pytest.raises(ValueError, match=r"1 \(1\)"):
        model.predict(np.array([np.zeros(20), np.full(20, np.nan)]))


def test_the_description_tells_how_the_model_came_to_be(trained: Path, study_folder: Path) -> None:
    told = json.loads((trained / "model.json").read_text())
    folds = read_parquet(study_folder / "folds.parquet")
    assert told["settings"]["trees"] == 30
    assert told["split_digest"] == split_digest(folds)
    assert told["versions"].keys() == {told["kind"]}
    assert "threads" not in told


def test_features_of_a_patch_that_are_missing_doubled_or_not_finite_are_refused(
    study_folder: Path, tmp_path: Path
) -> None:
    table = read_parquet(study_folder / "train.parquet")
    first = table["id"].iloc[0]
    damaged = {
        rf"no features of 1 \({first}\) of 300": table[1:],
        rf"twice: 1 \({first}\)": pd.concat([table, table[:1]]),
        rf"NaN or infinite for 1 \({first}\)": table.assign(
            band0_std=table["band0_std"].where(table["id"] != first)
        ),
    }
    for message, frame in damaged.items():
        write_parquet(tmp_path / "features.parquet", frame)
        with pytest.raises(InputError, match=message):
            features = tmp_path / "features.parquet"
            train(study_folder, tmp_path / "out", KINDS[0], features=features)
    assert not any((tmp_path / "out").iterdir())


def test_a_fold_that_is_not_in_the_split_is_refused(study_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no fold 7; it has \[0, 1, 2\]"):
        train(study_folder, tmp_path, KINDS[0], fold=7)


@pytest.mark.parametrize(
    ("kind", "key", "high", "low"),
    [("lightgbm", "min_data_in_leaf", 120, 20), ("xgboost", "min_child_weight", 80.0, 1.0)],
)
def test_trees_without_a_split_are_told_in_the_log_with_the_key_that_forbids_them(
    kind: str,
    key: str,
    high: float,
    low: float,
    study_folder: Path,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Of 200 training patches."""
    caplog.set_level("WARNING")
    settings = SETTINGS[kind].model_copy(update={key: high})
    train(study_folder, tmp_path / "high", kind, settings=settings)
    assert f"{kind} learned nothing in fold 1: all 100 patches have the same" in caplog.text
    assert f"no tree has a split: {key} may be too high for 200 training patches" in caplog.text
    caplog.clear()
    settings = SETTINGS[kind].model_copy(update={key: low})
    train(study_folder, tmp_path / "low", kind, settings=settings)
    train(study_folder, tmp_path / "default", kind)
    assert not caplog.messages
    weights = f"model{TREES[kind].suffix}"
    assert file_digest(tmp_path / "low" / weights) == file_digest(tmp_path / "default" / weights)


def test_training_patches_of_one_class_are_refused(study_folder: Path, tmp_path: Path) -> None:
    folds = read_parquet(study_folder / "folds.parquet").assign(label=np.int8(0))
    write_parquet(tmp_path / "folds.parquet", folds, {"split_digest": split_digest(folds)})
    for kind in KINDS:
        with pytest.raises(InputError, match="one class"):
            train(study_folder, tmp_path / "out", kind, folds=tmp_path / "folds.parquet")


def test_a_gpu_that_lightgbm_cannot_use_is_refused(study_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="lightgbm trains on the CPU"):
        train(study_folder, tmp_path, "lightgbm", gpu=True)


@pytest.mark.slow
def test_a_gpu_that_is_absent_is_refused_by_xgboost(study_folder: Path, tmp_path: Path) -> None:
    hidden = {"CUDA_VISIBLE_DEVICES": ""}  # on a machine that has GPUs
    ended = train_in_a_process(study_folder, tmp_path, "xgboost", gpu=True, environment=hidden)
    assert ended.returncode != 0
    assert "InputError: XGBoost was asked to train on cuda" in ended.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_weight_of_landslides_raises_their_probability(
    study_folder: Path, tmp_path: Path
) -> None:
    for kind in KINDS:
        means = []
        for weight in (1.0, 5.0):
            target = tmp_path / f"{kind}{weight}"
            settings = SETTINGS[kind].model_copy(update={"positive_weight": weight})
            train(study_folder, target, kind, settings=settings)
            means.append(read_oof(target / "oof.parquet").frame["probability"].mean())
        assert means[1] > means[0]
