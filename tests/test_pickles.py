"""Whatever name a pickle is planted under: who reads the file refuses it and unpickles nothing."""

import shutil
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from scene.simulated_scene import CONVENTIONS
from test_damage import READERS, write_all
from traps import traps

import landslip
from landslip.assess.filled import read_labels as read_labels_of_sample
from landslip.bundle.folder import SUMS, pack, seal
from landslip.config.files import read_config_file
from landslip.data.patches import read_patch
from landslip.data.store import read_ids as read_store_ids
from landslip.data.store import read_patches
from landslip.data.tables import read_ids, read_labels
from landslip.inventory.read import read_inventory
from landslip.io.files import InputError
from landslip.io.sums import read_sums
from landslip.models.network_files import load_network
from landslip.models.state import StateFile
from landslip.models.tree_files import load_trees
from landslip.models.weights import fetch_weights
from landslip.scene.interpreter import interpret_scene
from made_bundle import Made, make_bundle

NAMES = ["counts", "names", "patches", "id"]
KINDS = ("pickle", "text", "array", "arrays", "checkpoint", "yaml")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return make_bundle(tmp_path_factory.mktemp("bundle"))


def springs_none(
    path: Path, read: Callable[[], object], evidence: Path, kinds: Sequence[str] = KINDS
) -> None:
    """Plant traps at `path` in turn; each is refused or not looked at, and none springs."""
    before = path.read_bytes() if path.exists() else b""
    planted = traps(evidence, NAMES)
    for kind in kinds:
        content = planted[kind]
        path.write_bytes(content)
        # No other error than a refusal in words.
        with suppress(InputError):
            read()
        assert not evidence.exists(), (path, kind)
    path.write_bytes(before)


def test_the_traps_spring_where_they_are_unpickled(tmp_path: Path) -> None:
    evidence, path = tmp_path / "evidence", tmp_path / "trap"
    loaders: dict[str, Callable[[], object]] = {
        "pickle": lambda: np.load(path, allow_pickle=True),
        "text": lambda: np.load(path, allow_pickle=True),
        "array": lambda: np.load(path, allow_pickle=True),
        "arrays": lambda: np.load(path, allow_pickle=True)["counts"],
        "checkpoint": lambda: torch.load(path, weights_only=False),
        "yaml": lambda: yaml.unsafe_load(path.read_text()),
    }
    for kind, content in traps(evidence, NAMES).items():
        path.write_bytes(content)
        loaders[kind]()
        assert evidence.exists(), kind
        evidence.rmdir()


@pytest.mark.parametrize("name", READERS)
def test_tables_of_the_run_unpickle_nothing(name: str, tmp_path: Path) -> None:
    path = write_all(tmp_path)[name]
    for read in READERS[name]:
        springs_none(path, lambda read=read: read(path), tmp_path / "evidence")


def test_files_of_a_user_unpickle_nothing(tmp_path: Path) -> None:
    def fetch(path: Path) -> None:
        fetch_weights(
            "test_vit2", local=path, target=tmp_path / "w" / "m.safetensors",
            description=tmp_path / "w" / "m.json",
        )  # fmt: skip

    readers: dict[str, Callable[[Path], object]] = {
        "Train.csv": read_labels,
        "Test.csv": read_ids,
        "ID_1.npy": lambda path: read_patch(path, 3, (4, 5)),
        "config.yaml": read_config_file,
        "weights.safetensors": fetch,
        "slides.gpkg": read_inventory,
        "scene.yaml": lambda path: interpret_scene(path, CONVENTIONS),
        "filled.gpkg": lambda path: read_labels_of_sample(path, pd.DataFrame()),
        "files.sha256": lambda path: list(read_sums(path)),
        "given.zip": lambda path: landslip.load(path, threads=1),
    }
    for name, read in readers.items():
        path = tmp_path / name
        springs_none(path, lambda read=read, path=path: read(path), tmp_path / "evidence")


def test_a_store_unpickles_nothing(small_store: Path, tmp_path: Path) -> None:
    def read() -> None:
        read_store_ids(small_store)
        read_patches(small_store)

    read()
    for path in sorted(small_store.parent.rglob("*")):
        if path.is_file():
            springs_none(path, read, tmp_path / "evidence")


def test_models_and_states_unpickle_nothing(made: Made, tmp_path: Path) -> None:
    shutil.copytree(made.folder / "lightgbm" / "fold0", tmp_path / "trees")
    shutil.copytree(made.folder / "rgb_net" / "fold0", tmp_path / "network")
    for folder, load in (("trees", load_trees), ("network", load_network)):
        description = tmp_path / folder / "model.json"
        load(description)
        for path in (tmp_path / folder).iterdir():
            springs_none(path, lambda load=load, d=description: load(d), tmp_path / "evidence")
    state = StateFile(path=tmp_path / "model.resume", fingerprint={}, minutes=1)
    springs_none(state.path, state.read, tmp_path / "evidence")


def test_a_bundle_whose_sums_were_made_to_fit_unpickles_nothing(made: Made, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(made.bundle, tmp_path / "bundle"))
    patches = made.arrays()[:1]

    def ask() -> None:
        seal(folder)
        landslip.load(folder, threads=1).predict(patches)

    ask()
    once = {path.name: path for path in sorted(folder.rglob("*")) if path.is_file()}
    assert len(once) >= 7
    for name, path in once.items():
        if name not in (SUMS, "card.html"):
            springs_none(path, ask, tmp_path / "evidence", ("pickle", "checkpoint"))
    (folder / "bundle.json").write_bytes(traps(tmp_path / "evidence", NAMES)["pickle"])
    seal(folder)
    pack(folder, tmp_path / "bundle.zip")
    with pytest.raises(InputError):
        landslip.load(tmp_path / "bundle.zip", threads=1)
    assert not (tmp_path / "evidence").exists()
