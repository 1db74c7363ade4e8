"""A small network job in processes of its own, to be killed at chosen moments.

Run as a program, it imports what a job needs once and forks for every job that stdin asks for:
importing takes longer than training.
"""

import json
import os
import signal
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from landslip.data.folds import split_digest
from landslip.features.scaling import write_scaling
from landslip.io.files import file_digest, write_parquet
from landslip.io.logs import configure_logging
from landslip.models import state
from landslip.models.network import Architecture
from landslip.models.network_fold import NetworkTraining, Outputs, train_network
from landslip.models.run import Run
from landslip.models.settings import Network
from landslip.models.state import StateFile
from processors import processor_file
from stores import write_store

CHANNELS = ("red", "vv", "diff_vv")
# Three encoders, one with batch norm and channels-last convolutions, and a head with dropout.
PLAN = Architecture(
    channels=(("red",), ("vv",), ("diff_vv",)),
    encoders=("test_vit2", "test_efficientnet", "test_vit2"),
    head="V3",
    features=8,
    image_size=32,
)
EPOCHS, BATCH, TRAINED = 2, 8, 32
STEPS = TRAINED // BATCH
FILES = ("model.safetensors", "model.json", "oof.parquet", "history.parquet")


def make_inputs(folder: Path) -> Path:
    """Store, folds and scaling of 48 patches in three folds."""
    random = np.random.default_rng(5)
    rows = []
    for number in range(48):
        label = number % 2
        patch = random.normal(label, 1, (12, 12, 3))
        path = folder / "train_data" / f"ID_train{number:02d}.npy"
        path.parent.mkdir(exist_ok=True)
        np.save(path, patch)
        row = {"id": path.stem, "fold": number // 2 % 3, "label": label, "path": str(path)}
        rows.append(row | {"sha256": file_digest(path)})
    listed = pd.DataFrame(rows)
    write_store(
        listed, channels=CHANNELS, indices={}, on_nonfinite="refuse", patches_per_shard=64,
        workers=1, target=folder / "train.h5",
    )  # fmt: skip
    folds = listed[["id", "fold", "label"]].astype({"label": "int8"})
    write_parquet(folder / "folds.parquet", folds, {"split_digest": split_digest(folds)})
    write_scaling(
        folder / "scaling.parquet", [(folder / "train.h5", None)], fit="all",
        max_patches=1000, seed=0, threads=1,
    )  # fmt: skip
    return folder


def settings(**training: Any) -> Network:
    """Of the job's network."""
    return Network(
        kind="network",
        encoder="any",
        inputs=list(CHANNELS),
        scaling="standard",
        head=PLAN.head,
        features=PLAN.features,
        training={
            "epochs": EPOCHS, "batch_size": BATCH, "learning_rate": 1e-3, "image_size": 32,
            "precision": "float32", **training,
        },
    )  # fmt: skip


def train_fold(inputs: Path, target: Path, **changes: Any) -> None:
    """The job: train on folds 1 and 2, and write into `target`."""
    training = changes.pop("training", {})
    arguments: dict[str, Any] = {
        "model": "small",
        "settings": settings(**training),
        "architecture": PLAN,
        "fold": 0,
        "seed": 42,
        "code": "c" * 64,
        "device": "cpu",
        "threads": 1,
        "memory_mb": 1000,
        "train_store": inputs / "train.h5",
        "scaling": inputs / "scaling.parquet",
        "folds": inputs / "folds.parquet",
        "pretrained": {},
        "processor": processor_file(inputs),
        "resume": target / "model.safetensors.resume",
        "save_minutes": 10.0,
    }
    outputs = Outputs(
        weights=target / FILES[0], description=target / FILES[1], oof=target / FILES[2],
        history=target / FILES[3], cost=target / "cost.json",
    )  # fmt: skip
    train_network(NetworkTraining(**(arguments | changes)), outputs)


@dataclass
class Jobs:
    """The program, waiting for jobs."""

    program: subprocess.Popen[str]

    def run(
        self, inputs: Path, target: Path, kill: dict[str, Any] | None = None, **changes: Any
    ) -> tuple[int, str]:
        """Exit code (negative: the signal that killed it) and log of a job.

        Parameters
        ----------
        inputs, target
            What the job reads, and where its outputs go.
        kill
            `signal` and when: `step` (after that many steps), `save` (after that many saves),
            `saving` (while the state of that save is on its way to the disk, twice) or
            `predicting` (once the network is trained).
        **changes
            Of the training's arguments.
        """
        assert self.program.stdin is not None
        assert self.program.stdout is not None
        asked = {"inputs": str(inputs), "target": str(target), "kill": kill, "changes": changes}
        self.program.stdin.write(json.dumps(asked) + "\n")
        self.program.stdin.flush()
        code = int(self.program.stdout.readline())
        log = target / "job.log"
        text = log.read_text()
        log.unlink()
        return code, text


@contextmanager
def waiting_jobs() -> Iterator[Jobs]:
    """Start the program."""
    root = Path(__file__).parents[1]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    environment["PYTHONPATH"] = os.pathsep.join([str(root), str(root / "tests")])
    with subprocess.Popen(
        [sys.executable, __file__],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    ) as program:
        yield Jobs(program)
        program.communicate()


def _after(function: Callable[..., Any], count: int, number: int) -> Callable[..., Any]:
    """`function`, which has this process signalled after its `count`th call."""
    calls = 0

    def called(*arguments: Any) -> Any:
        nonlocal calls
        result = function(*arguments)
        calls += 1
        if calls == count:
            os.kill(os.getpid(), number)
        return result

    return called


def _arm(kill: dict[str, Any]) -> None:
    number = signal.Signals[kill["signal"]]
    if "step" in kill:
        Run.take_step = _after(Run.take_step, kill["step"], number)
    if "save" in kill:
        StateFile.write = _after(StateFile.write, kill["save"], number)
    if "saving" in kill:
        # Between the serialised state and its file, and once more when half of it is written.
        state.save = _after(state.save, kill["saving"], number)
        Path.write_bytes = _write_halves(Path.write_bytes, kill["saving"], number)
    if "predicting" in kill:
        from landslip.models import network_fold

        network_fold.sigmoid = _after(network_fold.sigmoid, 1, number)


def _write_halves(function: Callable[..., int], count: int, number: int) -> Callable[..., int]:
    calls = 0

    def called(path: Path, content: bytes) -> int:
        nonlocal calls
        calls += 1
        if calls == count:
            function(path, content[: len(content) // 2])
            os.kill(os.getpid(), number)
        return function(path, content)

    return called


def _serve() -> None:
    for line in sys.stdin:
        asked = json.loads(line)
        child = os.fork()
        if child == 0:
            _run(asked)
        status = os.waitpid(child, 0)[1]
        print(os.waitstatus_to_exitcode(status), flush=True)


def _run(asked: dict[str, Any]) -> None:
    """The job, as its script runs it; ends the process."""
    code = 1
    try:
        target = Path(asked["target"])
        configure_logging(target / "job.log")
        if asked["kill"]:
            _arm(asked["kill"])
        train_fold(Path(asked["inputs"]), target, **asked["changes"])
        code = 0
    except SystemExit as error:
        code = int(error.code or 0)
    except BaseException:
        sys.excepthook(*sys.exc_info())
        traceback.print_exc()
    finally:
        os._exit(code)


if __name__ == "__main__":
    _serve()
