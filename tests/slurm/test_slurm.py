"""The run on a real SLURM: who asks for a GPU, and what comes out when jobs are cut short."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import rasterio
from scene.simulated_scene import edit_scene

import landslip
from landslip.simulation.products import write_scene
from landslip.simulation.whole_scene import simulate_scene_images
from made_bundle import Made
from runs import SMALL, read, snakemake
from slurm.slurm import NETWORK_RULES, ONE_THREAD, PRETENDED_GPU, Cluster, Job, until

NETWORK = "pwee_v2_standard"
SUBMISSION = "results/submission.csv"
OOF = f"results/models/{NETWORK}/fold0/oof.parquet"


# Long enough that the two minutes before it, when SLURM asks to end, do not begin with the job; the
# next attempt has time enough on a busy machine.
LIMIT = ("train_network:runtime=6*attempt-2",)
# A minute is the least that SLURM knows. In place of what the rule asks for, nothing is asked for.
UNANNOUNCED = ("train_network:runtime=9*attempt-8", "train_network:slurm_extra=--nice=0")
LOG = f"results/logs/models/{NETWORK}/fold0.log"


def longer(epochs: int) -> dict[str, Any]:
    """The small run with trainings that can be caught under way."""
    models = SMALL["models"]
    network = models[NETWORK]
    network = {**network, "training": {**network["training"], "epochs": epochs}}
    return {**SMALL, "models": {**models, NETWORK: network}}


RUN = longer(epochs=40)
PRETENDED_ANSWERS = (
    "--set-resources", "answer_new_patches:gpu=0", "answer_new_patches:gres=gpu:1",
)  # fmt: skip
PRETENDED_MAP = (
    "--set-resources", "map_tile:gpu=0", "map_tile:gres=gpu:1", "write_zones:gpu=0",
    "write_zones:gres=gpu:1",
)  # fmt: skip


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory, cluster: Cluster) -> Path:
    """The same run without SLURM, undisturbed."""
    folder = tmp_path_factory.mktemp("local")
    answer = snakemake(folder, *ONE_THREAD, "--", SUBMISSION, config=RUN)
    assert answer.returncode == 0, answer.stderr[-3000:]
    return folder


def scripts(cluster: Cluster, job: Job, name: str) -> list[int]:
    """Processes of a running job that run the script `name`."""
    found = []
    for pid in cluster.pids(job.number):
        with suppress(FileNotFoundError):
            if name.encode() in Path(f"/proc/{pid}/cmdline").read_bytes():
                found.append(pid)
    return found


def finish(program: subprocess.Popen[bytes], folder: Path) -> None:
    """Wait for the workflow to end well."""
    assert program.wait(timeout=900) == 0, (folder / "log.txt").read_text()[-5000:]


def same(folder: Path, other: Path, file: str) -> bool:
    """Whether a table holds the same rows, bit for bit."""
    return pd.read_parquet(folder / file).equals(pd.read_parquet(other / file))


def test_the_study_on_slurm_gives_each_gpu_to_one_network_and_equals_the_local_study(
    cluster: Cluster, local: Path, tmp_path: Path
):
    earlier = {job.number for job in cluster.jobs()}
    figure = "results/report/dag.png"
    program = cluster.workflow(tmp_path, *PRETENDED_GPU, "--", SUBMISSION, figure, config=RUN)
    finish(program, tmp_path)
    jobs = [job for job in cluster.jobs() if job.number not in earlier]
    networks = [job for job in jobs if job.name in NETWORK_RULES]
    assert len(networks) == 3
    assert {job.gpus for job in networks} == {1}
    assert {job.gpus for job in jobs if job not in networks} == {0}
    assert {job.state for job in jobs} == {"COMPLETED"}
    runs = sorted(run for job in networks for run in cluster.runs(job.number))
    assert len(runs) == 3
    assert all(end <= start for (_, end), (start, _) in pairwise(runs))
    trees = [job for job in jobs if job.name in ("train_lightgbm", "train_xgboost")]
    assert len(trees) == 4
    assert {(job.cpus, job.memory_mb, job.minutes) for job in trees} == {(1, 4000, 60)}
    # Jobs that need each other's files share a job too.
    ensemble, report = (job for job in jobs if job.name.startswith(("ensemble_", "report_")))
    assert "gather_oof_measure_ensemble_predict_test" in ensemble.name
    assert report.name == "report_draw_report_print_rulegraph"
    assert (ensemble.cpus, ensemble.memory_mb, report.cpus) == (1, 4000, 1)
    for model in ("lightgbm", "xgboost", NETWORK):
        for fold in (0, 1):
            assert same(tmp_path, local, f"results/models/{model}/fold{fold}/oof.parquet"), model
    assert same(tmp_path, local, "results/ensemble/test.parquet")
    assert (tmp_path / SUBMISSION).read_bytes() == (local / SUBMISSION).read_bytes()


def test_the_profile_asks_for_a_real_gpu_and_a_pretended_one_is_refused(
    cluster: Cluster, tmp_path: Path, untrained: Path
):
    """As a user runs it: nothing but the profile, a node whose GPU PyTorch cannot use."""
    earlier = {job.number for job in cluster.jobs()}
    program = cluster.workflow(untrained, "--retries", "0", "--", OOF, config=RUN)
    assert program.wait(timeout=200) != 0
    (job,) = [job for job in cluster.jobs() if job.number not in earlier]
    assert (job.name, job.gpus, job.state) == ("train_network", 1, "FAILED")
    log = (untrained / LOG).read_text()
    assert "a GPU was asked for, but PyTorch cannot use one here" in log


@pytest.fixture
def untrained(local: Path, tmp_path: Path) -> Path:
    """A run that has come as far as its first training."""
    folder = tmp_path / "run"
    shutil.copytree(local, folder)
    shutil.rmtree(folder / "results/models" / NETWORK)
    return folder


def requeue(cluster: Cluster, job: Job, folder: Path) -> None:
    """What preemption does."""
    cluster.call("scontrol", "requeue", str(job.number))
    cluster.start_again(job.number)


def terminate(cluster: Cluster, job: Job, folder: Path) -> None:
    """Ask the job's processes to end; SLURM calls it failed, and Snakemake tries again."""
    cluster.call("scancel", "--signal=TERM", str(job.number))
    until(lambda: "stopped by SIGTERM" in (folder / LOG).read_text())


def take_node_down(cluster: Cluster, job: Job, folder: Path) -> None:
    """With all its processes, and back: SLURM puts the job back into the queue."""
    pids = cluster.pids(job.number)
    cluster.call("scontrol", "update", "nodename=landslip", "state=down", "reason=test")
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    # A job that comes back to a node that still buries it is held.
    until(lambda: not cluster.keepers(job.number))
    time.sleep(3)
    cluster.call("scontrol", "update", "nodename=landslip", "state=resume")
    cluster.start_again(job.number)


def run_out_of_time(cluster: Cluster, job: Job, folder: Path) -> None:
    """Hold a job back until SLURM asks it to end, as long before the limit as its rule says."""
    (training,) = scripts(cluster, job, "train_network.py")
    os.kill(training, signal.SIGSTOP)
    until(lambda: "stopped by SIGTERM" in (folder / LOG).read_text(), seconds=240)


def stall(cluster: Cluster, job: Job, folder: Path) -> None:
    """Let it hang, as on a stuck file system, until SLURM ends it at its time limit."""
    (training,) = scripts(cluster, job, "train_network.py")
    os.kill(training, signal.SIGSTOP)
    until(lambda: not Path(f"/proc/{training}").exists(), seconds=180)


@pytest.mark.parametrize(
    ("disturb", "options", "state"),
    [
        (requeue, (), "REQUEUED"),
        (terminate, (), "FAILED"),
        (take_node_down, (), "REQUEUED"),
        (run_out_of_time, LIMIT, "FAILED"),
        (stall, UNANNOUNCED, "TIMEOUT"),
    ],
)
def test_a_training_that_slurm_cuts_short_goes_on_and_ends_as_if_undisturbed(
    disturb: Callable[[Cluster, Job, Path], None],
    options: tuple[str, ...],
    state: str,
    cluster: Cluster,
    local: Path,
    untrained: Path,
):
    earlier = {job.number for job in cluster.jobs()}
    resume = (untrained / OOF).with_name("model.safetensors.resume")
    program = cluster.workflow(untrained, *PRETENDED_GPU, *options, "--", OOF, config=RUN)
    until(resume.exists, program)
    (job,) = [job for job in cluster.jobs() if job.number not in earlier]
    assert job.state == "RUNNING"
    disturb(cluster, job, untrained)
    finish(program, untrained)
    jobs = [job for job in cluster.jobs() if job.number not in earlier]
    if state == "REQUEUED":
        assert [(job.state, job.restarts) for job in jobs] == [("COMPLETED", 1)]
    else:
        assert [job.state for job in jobs] == [state, "COMPLETED"]
    assert not resume.exists()
    assert read(resume.with_name("cost.json"))["resumed"] == 1
    assert same(untrained, local, OOF)


def test_a_bundle_answers_on_slurm_as_it_does_without(cluster: Cluster, made: Made, tmp_path: Path):
    config = {
        "bundle": str(made.bundle), "patches": str(made.patches), "data": {"patches_per_shard": 40}
    }  # fmt: skip
    earlier = {job.number for job in cluster.jobs()}
    program = cluster.workflow(tmp_path, *PRETENDED_ANSWERS, "--", "predict", config=config)
    finish(program, tmp_path)
    jobs = [job for job in cluster.jobs() if job.number not in earlier]
    assert {job.state for job in jobs} == {"COMPLETED"}
    answering = [job for job in jobs if job.name == "answer_new_patches"]
    assert [(job.gpus, job.memory_mb, job.minutes) for job in answering] == [(1, 8000, 480)] * 2
    assert {job.gpus for job in jobs if job not in answering} == {0}
    assert sum(job.name.startswith("answers_") for job in jobs) == 1
    found = pd.read_parquet(tmp_path / "results" / "predict" / "predictions.parquet")
    # A folder without a CSV is answered in the order of its names.
    order = np.argsort(made.ids)
    expected = landslip.load(made.bundle).predict(made.arrays()[order])
    assert found["id"].tolist() == sorted(made.ids)
    assert (found["probability"] == expected.probability).all()
    assert (tmp_path / "results" / "predict" / "report.html").is_file()


def test_a_scene_is_mapped_on_slurm_as_it_is_without(cluster: Cluster, made: Made, tmp_path: Path):
    images = simulate_scene_images(
        np.random.default_rng(3), rows=200, columns=300, slides=4, cloud=0.1
    )
    write_scene(tmp_path / "scene", images, seed=3)
    path = edit_scene(tmp_path / "scene", placebo=None)
    config = {"bundle": str(made.bundle), "scene": {"path": str(path), "stride": 32, "tile": 256}}
    (tmp_path / "local").mkdir()
    answer = snakemake(tmp_path / "local", "--", "map", config=config)
    assert answer.returncode == 0, answer.stderr[-3000:]
    earlier = {job.number for job in cluster.jobs()}
    program = cluster.workflow(tmp_path / "far", *PRETENDED_MAP, "--", "map", config=config)
    finish(program, tmp_path / "far")
    jobs = [job for job in cluster.jobs() if job.number not in earlier]
    assert {job.state for job in jobs} == {"COMPLETED"}
    tiles = [job for job in jobs if job.name == "map_tile"]
    assert [(job.gpus, job.memory_mb, job.minutes) for job in tiles] == [(1, 4000, 240)] * 2
    assert sum(job.name.startswith("map_join_map") for job in jobs) == 1
    own, other = (tmp_path / name / "results" / "scene" / "map" for name in ("far", "local"))
    assert {file.name for file in own.iterdir()} == {file.name for file in other.iterdir()}
    with (
        rasterio.open(own / "probability.tif") as file,
        rasterio.open(other / "probability.tif") as without,
    ):
        assert np.array_equal(file.read(), without.read())
    assert (own.parent / "map.zip").is_file()
