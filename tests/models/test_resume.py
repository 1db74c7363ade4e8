"""A training that is killed, wherever it is, ends as if nothing had happened."""

import errno
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from signal import Signals

import numpy as np
import pytest
import resumable
import torch
from resumable import EPOCHS, FILES, STEPS, Jobs, make_inputs, train_fold

from landslip.io.files import InputError, file_digest, read_json
from landslip.io.settings import flatten
from landslip.models import gradients
from landslip.models.state import State, StateFile


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_inputs(tmp_path_factory.mktemp("inputs"))


@pytest.fixture(scope="module")
def jobs() -> Iterator[Jobs]:
    with resumable.waiting_jobs() as program:
        yield program


@pytest.fixture(scope="module")
def undisturbed(
    jobs: Jobs, inputs: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, str]:
    """Digests of the outputs of a job that nobody disturbs."""
    folder = tmp_path_factory.mktemp("undisturbed")
    code, log = jobs.run(inputs, folder)
    assert code == 0, log
    return digests(folder)


def digests(folder: Path) -> dict[str, str]:
    return {name: file_digest(folder / name) for name in FILES}


def resume_file(folder: Path) -> Path:
    return folder / "model.safetensors.resume"


def test_a_training_killed_after_every_save_ends_in_the_same_bytes(
    jobs: Jobs, inputs: Path, tmp_path: Path, undisturbed: dict[str, str]
):
    """Each process takes one step or closes one epoch, saves and is killed."""
    kills, code = 0, -9
    while code == -9:
        kill = {"signal": "SIGKILL", "save": 1}
        code, log = jobs.run(inputs, tmp_path, kill, save_minutes=0.0)
        kills += code == -9
    assert code == 0, log
    assert kills == EPOCHS * STEPS
    assert digests(tmp_path) == undisturbed
    assert read_json(tmp_path / "cost.json")["resumed"] == kills
    assert not resume_file(tmp_path).exists()


def test_a_moving_average_of_weights_goes_on_too(
    jobs: Jobs, inputs: Path, tmp_path: Path, undisturbed: dict[str, str]
):
    """Killed inside an epoch, after one, and when all steps are taken but nothing is predicted."""
    averaged = {"training": {"ema_decay": 0.9}}
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    whole.mkdir()
    killed.mkdir()
    assert jobs.run(inputs, whole, **averaged)[0] == 0
    for place in ({"save": 2}, {"save": STEPS - 1}, {"predicting": 1}):
        code, log = jobs.run(
            inputs, killed, {"signal": "SIGKILL", **place}, save_minutes=0.0, **averaged
        )
        assert code == -9, log
    code, log = jobs.run(inputs, killed, save_minutes=0.0, **averaged)
    assert code == 0, log
    assert f"going on after {EPOCHS} epochs" in log
    assert digests(killed) == digests(whole)
    assert digests(killed)[FILES[0]] != undisturbed[FILES[0]]


@pytest.mark.parametrize(
    ("signal", "step", "place"),
    [
        ("SIGTERM", 1, f"0 epochs and 1 of {STEPS} steps"),
        ("SIGUSR1", STEPS, f"0 epochs and {STEPS} of {STEPS} steps"),
        ("SIGINT", STEPS + 2, f"1 epochs and 2 of {STEPS} steps"),
        ("SIGHUP", EPOCHS * STEPS, f"1 epochs and {STEPS} of {STEPS} steps"),
    ],
)
def test_a_training_asked_to_end_saves_the_step_and_goes_on_to_the_same_bytes(
    signal: str,
    step: int,
    place: str,
    jobs: Jobs,
    inputs: Path,
    tmp_path: Path,
    undisturbed: dict[str, str],
):
    code, log = jobs.run(inputs, tmp_path, {"signal": signal, "step": step})
    assert code == 128 + Signals[signal], log
    lines = [line for line in log.splitlines() if "stopped by" in line]
    assert len(lines) == 1
    assert f"stopped by {signal}: {place}" in lines[0]
    assert "the next run goes on from there" in lines[0]
    assert "Traceback" not in log
    assert [path.name for path in tmp_path.iterdir()] == [resume_file(tmp_path).name]
    code, log = jobs.run(inputs, tmp_path)
    assert code == 0, log
    assert f"going on after {place}" in log
    assert digests(tmp_path) == undisturbed
    assert sorted(os.listdir(tmp_path)) == sorted([*FILES, "cost.json"])


@pytest.mark.parametrize("step", [1, STEPS + 1])
def test_a_training_killed_between_saves_goes_on_from_the_last_to_the_same_bytes(
    step: int, jobs: Jobs, inputs: Path, tmp_path: Path, undisturbed: dict[str, str]
):
    code, _ = jobs.run(inputs, tmp_path, {"signal": "SIGKILL", "step": step})
    assert code == -9
    assert resume_file(tmp_path).exists() == (step > STEPS)
    code, log = jobs.run(inputs, tmp_path)
    assert code == 0, log
    assert ("going on after 1 epochs and 0 of" in log) == (step > STEPS)
    assert digests(tmp_path) == undisturbed


def test_signals_while_saving_let_the_save_complete(
    jobs: Jobs, inputs: Path, tmp_path: Path, undisturbed: dict[str, str]
):
    code, log = jobs.run(inputs, tmp_path, {"signal": "SIGTERM", "saving": 1})
    assert code == 143
    assert "stopped by SIGTERM: 1 epochs and 0 of" in log
    code, log = jobs.run(inputs, tmp_path)
    assert code == 0, log
    assert "going on after 1 epochs and 0 of" in log
    assert digests(tmp_path) == undisturbed


def test_a_save_that_is_killed_leaves_the_state_before(
    jobs: Jobs, inputs: Path, tmp_path: Path, undisturbed: dict[str, str]
):
    code, _ = jobs.run(inputs, tmp_path, {"signal": "SIGKILL", "saving": 2})
    assert code == -9
    code, log = jobs.run(inputs, tmp_path)
    assert "going on after 1 epochs and 0 of" in log
    assert digests(tmp_path) == undisturbed
    assert sorted(os.listdir(tmp_path)) == sorted([*FILES, "cost.json"])


@pytest.mark.parametrize(("signal", "expected"), [("SIGTERM", 143), ("SIGKILL", -9)])
def test_a_job_killed_while_it_predicts_trains_nothing_twice(
    signal: str,
    expected: int,
    jobs: Jobs,
    inputs: Path,
    tmp_path: Path,
    undisturbed: dict[str, str],
):
    code, _ = jobs.run(inputs, tmp_path, {"signal": signal, "predicting": 1})
    assert code == expected
    code, log = jobs.run(inputs, tmp_path)
    assert f"going on after {EPOCHS} epochs" in log
    assert "validation loss" not in log
    assert digests(tmp_path) == undisturbed


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"training": {"learning_rate": 2e-3}}, "settings.training.learning_rate was 0.001, is"),
        ({"code": "d" * 64}, "code was cccccccccccc, is dddddddddddd"),
    ],
)
def test_the_state_of_another_training_is_refused_with_the_difference(
    changes: dict[str, object], named: str, jobs: Jobs, inputs: Path, tmp_path: Path
):
    code, _ = jobs.run(inputs, tmp_path, {"signal": "SIGTERM", "step": STEPS})
    assert code == 143
    code, log = jobs.run(inputs, tmp_path, **changes)
    assert code == 0, log
    assert named in log
    assert "training starts anew" in log
    assert "epoch 1/" in log


def test_where_patches_lie_changes_no_byte(
    jobs: Jobs, inputs: Path, tmp_path: Path, undisturbed: dict[str, str]
):
    code, log = jobs.run(inputs, tmp_path, memory_mb=0.001)
    assert code == 0, log
    assert "each batch is read from the store" in log
    assert digests(tmp_path) == undisturbed


def test_how_often_to_save_may_change_between_runs(jobs: Jobs, inputs: Path, tmp_path: Path):
    jobs.run(inputs, tmp_path, {"signal": "SIGTERM", "step": 2})
    _, log = jobs.run(inputs, tmp_path, save_minutes=3.0)
    assert "going on after 0 epochs and 2 of" in log


@pytest.mark.parametrize("damage", ["truncated", "flipped"])
def test_a_damaged_state_is_refused_and_training_starts_anew(
    damage: str, jobs: Jobs, inputs: Path, tmp_path: Path, undisturbed: dict[str, str]
):
    jobs.run(inputs, tmp_path, {"signal": "SIGTERM", "step": STEPS})
    file = resume_file(tmp_path)
    data = bytearray(file.read_bytes())
    if damage == "flipped":
        data[-len(data) // 3] ^= 4
    file.write_bytes(data[:-9] if damage == "truncated" else data)
    code, log = jobs.run(inputs, tmp_path)
    assert code == 0, log
    assert "model.safetensors.resume is damaged" in log
    assert "epoch 1/" in log
    assert digests(tmp_path) == undisturbed


def state_file(folder: Path, **fingerprint: str) -> StateFile:
    return StateFile(path=folder / "a.resume", fingerprint=fingerprint, minutes=1)


def test_a_flipped_bit_anywhere_in_a_state_is_found(tmp_path: Path):
    file = state_file(tmp_path, seed="1")
    file.write(State({"a": torch.rand(3, 2), "b": torch.tensor(4)}, {"epoch": 1}))
    data = file.path.read_bytes()
    known = file.read()
    assert known is not None
    random = np.random.default_rng(1)
    for position in random.choice(len(data), 300, replace=False):
        damaged = bytearray(data)
        damaged[position] ^= 1 << int(random.integers(8))
        file.path.write_bytes(damaged)
        found = file.read()
        # Blanks between the header and the data mean nothing.
        assert found is None or data[position] == ord(" ")


def test_a_state_holds_what_was_saved(tmp_path: Path):
    file = state_file(tmp_path, **flatten("settings", {"a": 1, "b": {"c": [1, None]}}))
    assert dict(file.fingerprint) == {"settings.a": "1", "settings.b.c": "[1, null]"}
    assert file.read() is None
    tensors = {"a": torch.rand(3, 2)[:, 1], "b": torch.tensor(4), "c": torch.empty(0)}
    file.write(State(tensors, {"loss": 0.1 + 0.2}))
    found = file.read()
    assert found is not None
    assert found.progress == {"loss": 0.1 + 0.2}
    assert all(torch.equal(found.tensors[name], tensor) for name, tensor in tensors.items())


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder on a disk of its own of 64 KiB, where this user may mount one; else a plain one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)]
    try:
        mounted = subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        mounted = False
    yield folder
    if mounted:
        subprocess.run(["umount", str(folder)], check=True)


LIMITED = """
import resource, sys
from pathlib import Path
import torch
from landslip.io.logs import configure_logging
from landslip.models.state import State, StateFile
configure_logging(sys.argv[1] + ".log")
resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))
file = StateFile(path=Path(sys.argv[1]), fingerprint={}, minutes=1)
file.write(State({"a": torch.rand(9000)}, {}))
file.write(State({"a": torch.rand(90_000)}, {}))
"""


def test_a_full_disk_keeps_the_old_state_and_says_so(small_disk: Path, tmp_path: Path):
    """On a real small disk where one can be mounted, and under a limit on file size anyhow."""
    target = small_disk / "model.resume"
    answer = subprocess.run(
        [os.sys.executable, "-c", LIMITED, str(target)],
        cwd=resumable.__file__.rsplit("/tests/", 1)[0],
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 1
    assert "disk full after" in answer.stderr
    assert "model.resume" in answer.stderr
    assert "Traceback" not in answer.stderr
    file = StateFile(path=target, fingerprint={}, minutes=1)
    found = file.read()
    assert found is not None
    assert len(found.tensors["a"]) == 9000
    if os.path.ismount(small_disk):
        with pytest.raises(OSError, match=r"disk full after \d+ bytes") as caught:
            file.write(State({"a": torch.rand(60_000)}, {}))
        assert caught.value.errno == errno.ENOSPC
        assert file.read() is not None
    assert sorted(path.name for path in small_disk.iterdir()) == [
        "model.resume",
        "model.resume.log",
    ]


def test_a_loss_that_is_not_finite_names_the_batch_and_keeps_the_last_good_state(
    inputs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    steps = 0
    original = gradients.landslide_loss

    def astray(*arguments: object) -> torch.Tensor:
        nonlocal steps
        steps += 1
        loss: torch.Tensor = original(*arguments)
        return loss * float("nan") if steps == STEPS + 2 else loss

    monkeypatch.setattr(gradients, "landslide_loss", astray)
    with pytest.raises(InputError) as caught:
        train_fold(inputs, tmp_path)
    assert f"nan in epoch 2, step 2 of {STEPS}" in str(caught.value)
    assert str(caught.value).count("ID_train") == resumable.BATCH
    monkeypatch.undo()
    found = StateFile(path=resume_file(tmp_path), fingerprint={}, minutes=1)
    assert found.read() is None  # of another fingerprint, but whole
    _, saved = resumable.state._read(resume_file(tmp_path))
    assert (saved.progress["epoch"], saved.progress["step"]) == (1, 0)
    assert all(value.isfinite().all() for value in saved.tensors.values())
    assert not any((tmp_path / name).exists() for name in FILES)


def test_a_training_that_diverges_names_the_batch_and_keeps_the_state_before(
    inputs: Path, tmp_path: Path
):
    with pytest.raises(InputError, match=rf"in epoch 1, step \d of {STEPS}") as caught:
        train_fold(inputs, tmp_path, training={"learning_rate": 1e15}, save_minutes=0.0)
    assert str(caught.value).count("ID_train") == resumable.BATCH
    _, saved = resumable.state._read(resume_file(tmp_path))
    assert saved.progress["step"] > 0
    assert all(value.isfinite().all() for value in saved.tensors.values())
    assert not any((tmp_path / name).exists() for name in FILES)


def test_a_folder_that_cannot_be_written_is_refused_before_anything_is_read(tmp_path: Path):
    (tmp_path / "fold0").write_text("a file where the folder should be")
    empty = tmp_path / "inputs"
    empty.mkdir()
    with pytest.raises(InputError, match=r"cannot write into .*fold0"):
        train_fold(empty, tmp_path / "fold0")


def test_the_cost_of_a_training_adds_up(jobs: Jobs, inputs: Path, tmp_path: Path):
    jobs.run(inputs, tmp_path, {"signal": "SIGTERM", "step": STEPS + 1})
    jobs.run(inputs, tmp_path)
    cost = read_json(tmp_path / "cost.json")
    assert (cost["resumed"], cost["epochs"], cost["training_patches"]) == (1, EPOCHS, 32)
    assert 0 < cost["training_seconds"] + cost["prediction_seconds"] < cost["seconds"]
    assert cost["training_patches_per_second"] == pytest.approx(
        EPOCHS * 32 / cost["training_seconds"]
    )
    assert cost["prediction_patches_per_second"] == pytest.approx(16 / cost["prediction_seconds"])
    assert 50 < cost["peak_memory_mb"] < 4000
    assert cost["peak_device_memory_mb"] is None
