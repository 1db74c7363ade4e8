"""What a user's files, a refusal and a training that fails leave to be done again."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from safetensors.numpy import save_file

from landslip.engine.results_folder import ResultsFolder
from runs import SMALL, planned, snakemake

TARGET = "results/models/lightgbm/fold0/oof.parquet"
# As if the tables were too large for the checksums by which Snakemake sees that a file is the same.
LARGE = ("--max-checksum-file-size", "0")
# No machine of the tests shows a GPU: the training starts and ends with a refusal.
FAILING = ("--resources", "gpu=1", "--set-resources", "train_lightgbm:gpu=1")


def with_data(folder: str = "mydata", **over: Any) -> dict[str, Any]:
    """The small workflow on a user's own patches."""
    return {**SMALL, "data": {"folder": folder}, **over}


def trees(number: int) -> dict[str, Any]:
    """Another number of trees."""
    return {"models": {**SMALL["models"], "lightgbm": {"trees": number}}}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One fold of one model, trained on a user's own patches."""
    folder = tmp_path_factory.mktemp("own")
    answer = snakemake(folder, "--", "results/simulated/Train.csv", config=SMALL)
    assert answer.returncode == 0, answer.stderr[-3000:]
    (folder / "results" / "simulated").rename(folder / "mydata")
    shutil.rmtree(folder / "results")
    answer = snakemake(folder, "--", TARGET, config=with_data())
    assert answer.returncode == 0, answer.stderr[-3000:]
    return folder


@pytest.fixture
def own(finished: Path, tmp_path: Path) -> Path:
    """A copy of it, with Snakemake's records and the times of all files."""
    shutil.copytree(finished, tmp_path / "run")
    return tmp_path / "run"


def replan(folder: Path, *options: str, config: dict[str, Any] | None = None) -> dict[str, int]:
    """Jobs that it would need now."""
    given = with_data() if config is None else config
    return planned(
        snakemake(folder, "-n", "--quiet", "rules", *options, "--", TARGET, config=given)
    )


def test_touched_and_respelt_data_rerun_nothing_and_changed_data_do(own: Path):
    table = own / "mydata" / "Train.csv"
    for path in (own / "mydata").rglob("*"):
        os.utime(path)
    for spelling in ("mydata", "./mydata/", str(own / "mydata")):
        assert replan(own, *LARGE, config=with_data(spelling)) == {}
    times = table.stat().st_atime_ns, table.stat().st_mtime_ns
    lines = table.read_text().splitlines(keepends=True)
    table.write_text("".join([lines[0], *reversed(lines[1:])]))
    os.utime(table, ns=times)
    assert {"list_patches", "train_lightgbm"} <= set(replan(own, *LARGE))


def bad_label(data: Path) -> Path:
    path = data / "Train.csv"
    path.write_text(path.read_text().replace(",1\n", ",seven\n", 1))
    return path


def cut_patch(data: Path) -> Path:
    path = sorted((data / "train_data").glob("*.npy"))[0]
    path.write_bytes(path.read_bytes()[:-100])
    return path


@pytest.mark.parametrize("damage", [bad_label, cut_patch])
def test_a_refusal_mended_by_the_very_same_file_reruns_nothing(
    damage: Callable[[Path], Path], own: Path
):
    shutil.copytree(own / "mydata", own / "good")
    path = damage(own / "mydata")
    answer = snakemake(own, "--", TARGET, config=with_data())
    assert answer.returncode != 0
    assert "the data cannot be used as it is" in answer.stdout + answer.stderr
    assert replan(own)["train_lightgbm"] == 1
    shutil.copyfile(own / "good" / path.relative_to(own / "mydata"), path)
    assert replan(own) == {}


def test_weights_are_refused_without_losing_those_that_stood(tmp_path: Path):
    import timm

    model = timm.create_model("test_vit2")
    state = {name: tensor.numpy() for name, tensor in model.state_dict().items()}
    weights, target = tmp_path / "w.safetensors", "resources/weights/test_vit2.safetensors"
    save_file(state, weights)
    encoder = {"timm": "test_vit2", "pretrained": True, "weights": weights.name}
    config = {**SMALL, "encoders": {**SMALL["encoders"], "enc3": encoder}}
    assert snakemake(tmp_path, "--", target, config=config).returncode == 0
    good, stored = weights.read_bytes(), (tmp_path / target).read_bytes()
    weights.write_bytes(b"no weights")
    assert snakemake(tmp_path, "--", target, config=config).returncode != 0
    assert (tmp_path / target).read_bytes() == stored
    plan = ("-n", "--quiet", "rules", *LARGE, "--", target)
    assert planned(snakemake(tmp_path, *plan, config=config))["fetch_weights"] == 1
    weights.write_bytes(good)
    assert planned(snakemake(tmp_path, *plan, config=config)) == {}


def test_a_training_that_fails_leaves_the_model_that_stood_and_what_is_known_of_it(own: Path):
    folder = (own / TARGET).parent
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    answer = snakemake(own, *FAILING, "-R", TARGET, "--", TARGET, config=with_data())
    assert "--resources gpu=0" in answer.stdout + answer.stderr
    assert answer.returncode != 0
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert replan(own) == {}
    # A model that was trained otherwise does not pass for what was asked.
    other = with_data(**trees(21))
    assert snakemake(own, *FAILING, "--", TARGET, config=other).returncode != 0
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert replan(own, config=other) == {"train_lightgbm": 1}
    assert replan(own) == {}


def test_results_without_their_records_are_not_taken_for_those_of_another_config(own: Path):
    shutil.rmtree(own / ".snakemake")
    assert replan(own) == {}
    other = with_data(seed=43, folds={"n": 3, "scheme": "stratified"}, **trees(21))
    answer = snakemake(own, "-n", "--", TARGET, config=other)
    assert answer.returncode != 0
    for line in ("seed was 42, is 43", "folds.n was 2, is 3", "models.lightgbm.trees was 20"):
        assert line in answer.stderr
    assert "Traceback" not in answer.stderr
    assert replan(own, "--forceall", config=other)["train_lightgbm"] == 1
    shutil.rmtree(own / "results")
    assert replan(own, config=other)["train_lightgbm"] == 1


def test_a_second_working_folder_is_kept_out_while_the_first_runs_and_with_other_settings_after(
    own: Path, tmp_path: Path
):
    second = tmp_path / "second"
    second.mkdir()
    shared = {"results": str(own / "results"), "data": {"folder": str(own / "mydata")}}
    same = {**SMALL, **shared}
    target = str(own / TARGET)
    answer = snakemake(second, "-n", "--", target, config=same | {"seed": 43})
    assert answer.returncode != 0
    assert "seed was 42, is 43" in answer.stderr
    assert str(own) in answer.stderr
    assert planned(snakemake(second, "-n", "--quiet", "rules", "--", target, config=same)) == {}
    # This process stands for a run that goes on.
    ResultsFolder(folder=own / "results", records=tmp_path, settings=dict).hold()
    answer = snakemake(second, "-R", "assign_folds", "--", target, config=same)
    assert answer.returncode != 0
    assert f"started in {Path.cwd()} (process {os.getpid()}" in answer.stderr
