"""Runs the real Snakefile in a folder of its own, as a user would."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

from project import ROOT

# Two trees and one two-encoder network on few simulated patches: the whole way in a minute.
SMALL: dict[str, Any] = {
    "data": {"simulation": {"train": 60, "test": 20, "size": 32, "positives": 0.3}},
    "folds": {"n": 2, "scheme": "stratified"},
    "encoders": {
        "enc1": None,
        "enc2": None,
        "enc3": {"timm": "test_vit2", "pretrained": False},
        "enc4": None,
        "enc5": None,
    },
    "models": {
        "lightgbm": {"trees": 20, "learning_rate": 0.1},
        "xgboost": {"trees": 10, "learning_rate": 0.3},
        "maxvit_rgbn": None,
        "vit_medium_sar_indices": None,
        "pwee_v2_standard": {
            "features": 8,
            "training": {"epochs": 1, "batch_size": 8, "image_size": 32},
        },
        "pwee_v2_robust": None,
        "pwee_v3": None,
        "caformer_v3": None,
        "vit_rope_v3c": None,
    },
    "ensemble": {"bootstrap": 100},
}


# What a user's environment may hold and no file may.
SECRET = "s3cret-of-the-environment"


def snakemake(
    folder: Path,
    *arguments: str,
    config: dict[str, Any] | None = None,
    root: Path = ROOT,
    environment: Mapping[str, str] = MappingProxyType({}),
    umask: int = -1,
    timeout: float = 1800,
) -> subprocess.CompletedProcess[str]:
    """Run snakemake with the Snakefile of `root` and results under `folder`."""
    return subprocess.run(
        [*_command(folder, config, root), *arguments],
        cwd=folder if folder.is_dir() else root,
        env={**_environment(), **environment},
        umask=umask,
        capture_output=True,
        text=True,
        check=False,
        timeout=timeout,
    )


def start_snakemake(
    folder: Path, *arguments: str, config: dict[str, Any] | None = None, root: Path = ROOT
) -> subprocess.Popen[bytes]:
    """The same, under way, in a process group of its own that can be killed as a whole."""
    return subprocess.Popen(
        [*_command(folder, config, root), *arguments],
        cwd=folder,
        env=_environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def _environment() -> dict[str, str]:
    # Also on a machine with a GPU, what is tested is the machine without one.
    own = {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": "", "API_TOKEN": SECRET}
    return {**os.environ, **own}


def _command(folder: Path, config: dict[str, Any] | None, root: Path) -> list[str]:
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(root / "Snakefile")]
    command += ["--directory", str(folder), "--cores", "2", "--resources", "gpu=0"]
    command += ["--workflow-profile", str(root / "profiles" / "default")]
    if config is not None:
        path = folder / "config.test.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(yaml.safe_dump(config, sort_keys=False))
        command += ["--configfile", str(path)]
    return command


def planned(answer: subprocess.CompletedProcess[str]) -> dict[str, int]:
    """Rule -> number of jobs in a dry run."""
    assert answer.returncode == 0, answer.stdout + answer.stderr
    table = re.findall(r"^(\w+) +(\d+)$", answer.stdout + answer.stderr, re.MULTILINE)
    return {rule: int(count) for rule, count in table if rule != "total"}


def read(path: Path) -> Any:
    """A JSON file's content."""
    return json.loads(path.read_text())


# Differ from run to run by nature: times, costs, and of the workflow also pages, figures and sums.
_TIMED = {".log", ".jsonl", ".resume"}
_WITH_TIMES = {".sha256", ".html", ".png"}
_OF_THE_RUN = {".lock", "cost.json", "cost.csv", "speed.csv", "settings.json"}


def results_of(folder: Path, *, pages: bool = False) -> dict[str, bytes]:
    """Name -> bytes of each file below a working folder's results that runs have in common.

    Parameters
    ----------
    folder
        The working folder.
    pages
        Whether its pages and sums show no times, and are in common too.
    """
    base = folder / "results"
    timed = _TIMED if pages else _TIMED | _WITH_TIMES
    return {
        str(path.relative_to(base)): path.read_bytes()
        for path in base.rglob("*")
        if path.is_file()
        and path.suffix not in timed
        and path.name not in _OF_THE_RUN
        and not any(part.startswith(".") for part in path.relative_to(base).parts)
    }
