"""Readers of trained models, weights, saved states and bundles, whose digests fit the mutant.

A digest says that a file is what somebody sealed, not that he meant well. Libraries of seconds to
import are imported late, by those readers that need them.
"""

import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from fuzz.harness import Reader
from fuzz.made import made_bundle

import landslip
from landslip.bundle.folder import INDEX, pack, seal
from landslip.io.files import InputError, file_digest


def _seal_weights(path: Path) -> Path:
    """Make model.json vouch for the weights beside it, as a stranger would; gives its path."""
    description = path.with_name("model.json")
    if path != description:
        told = json.loads(description.read_bytes())
        description.write_text(json.dumps(told | {"sha256": file_digest(path)}))
    return description


def _make_trees(kind: str, weights: str) -> Callable[[Path], Sequence[Path]]:
    def make(folder: Path) -> Sequence[Path]:
        from small_trees import make_features, train

        done = folder / "features"
        done.mkdir()
        train(make_features(done), folder, kind)
        return [folder / weights, folder / weights, folder / "model.json"]

    return make


def _read_trees(path: Path) -> None:
    """Load and apply; the library itself says which features it reads."""
    from landslip.models.tree_files import load_trees

    stored = load_trees(_seal_weights(path))
    features = np.random.default_rng(0).normal(size=(5, len(stored.columns)))
    probability = stored.predict(features)
    assert ((probability >= 0) & (probability <= 1)).all()
    assert _features_used(stored) <= set(stored.columns)


def _features_used(stored: Any) -> set[str]:
    frame = stored.trees.booster.trees_to_dataframe()
    column = "split_feature" if "split_feature" in frame else "Feature"
    return set(frame[column].dropna()) - {"Leaf"}


def _make_network(folder: Path) -> Sequence[Path]:
    source = made_bundle() / "bundle" / "members" / "rgb_net" / "fold0"
    for name in ("model.json", "model.safetensors"):
        shutil.copy(source / name, folder / name)
    return [folder / "model.safetensors", folder / "model.json"]


def _read_network(path: Path) -> None:
    from landslip.models.network_files import load_network

    model, _ = load_network(_seal_weights(path))
    assert all(value.isfinite().all() for value in model.state_dict().values())


def _make_weights(folder: Path) -> Sequence[Path]:
    import torch
    from safetensors.torch import save_file

    torch.manual_seed(0)
    names = {"patch_embed.proj.weight": (4, 3, 2, 2), "norm.bias": (4,), "head.weight": (2, 4)}
    save_file({name: torch.randn(shape) for name, shape in names.items()}, folder / "w.safetensors")
    return [folder / "w.safetensors"]


def _read_weights(path: Path) -> None:
    """What is no fitting file is refused by its name; these fit nobody, which is a refusal too."""
    from landslip.models.weights import fetch_weights

    try:
        fetch_weights(
            "test_vit2", local=path, target=path.parent / "out.safetensors",
            description=path.parent / "out.json",
        )  # fmt: skip
    except InputError as error:
        if "test_vit2" not in str(error):
            raise


_FINGERPRINT = {"data": "1", "code": "2"}


def _make_state(folder: Path) -> Sequence[Path]:
    import torch

    from landslip.models.state import State, StateFile

    state = State(
        {"a": torch.arange(12.0).reshape(3, 4), "b": torch.arange(5), "c": torch.tensor(True)},
        {"epoch": 3, "history": [1.0, 2.0], "seconds": 1.5},
    )
    path = folder / "model.safetensors.resume"
    StateFile(path=path, fingerprint=_FINGERPRINT, minutes=1).write(state)
    return [path]


def _read_state(path: Path) -> None:
    """None, and a training that starts anew, or the very state that was saved."""
    import torch

    from landslip.models.state import StateFile

    state = StateFile(path=path, fingerprint=_FINGERPRINT, minutes=1).read()
    if state is None:
        raise InputError(f"{path.name} is not gone on from")
    assert state.progress == {"epoch": 3, "history": [1.0, 2.0], "seconds": 1.5}
    assert torch.equal(state.tensors["a"], torch.arange(12.0).reshape(3, 4))
    assert torch.equal(state.tensors["b"], torch.arange(5))


def _make_bundle(folder: Path) -> Sequence[Path]:
    bundle = folder / "bundle"
    shutil.copytree(made_bundle() / "bundle", bundle)
    # Trees alone: networks are files of their own reader, and large.
    for name in ("rgb_net", "any_net"):
        for path in (bundle / "members" / name).rglob("*.safetensors"):
            path.write_bytes(b"")
    seal(bundle)
    names = [INDEX, INDEX, INDEX, "card.json", "oof.parquet", "processor.json",
             "members/lightgbm/fold0/model.json"]  # fmt: skip
    return [bundle / name for name in names]


def _read_bundle(path: Path) -> None:
    folder = next(parent for parent in path.parents if parent.name == "bundle")
    seal(folder)
    try:
        _use(landslip.load(folder, threads=1))
    except InputError as error:
        # An index that asks for networks meets what `_make_bundle` left of their weights.
        if str(folder / "members") in str(error):
            raise InputError(f"{path.name}: {error}") from error
        raise
    if path.name == "processor.json":
        from landslip.models.precision import read_processor

        read_processor(path)


# What a patch that is asked about holds, by its unit; reflectance, as any other, 1000.
_LEVEL = {"db": -15.0, "db_change": 1.0}


def _use(ensemble: Any) -> None:
    """Ask the trees, and for a threshold."""
    rows, columns = ensemble.size
    if rows * columns * len(ensemble.channels) > 10**6:
        raise InputError(f"{INDEX}: patches so large are not tried here")
    len(ensemble.card)
    assert 0 <= ensemble.threshold(recall=0.5).value <= 1
    level = [_LEVEL.get(unit, 1000.0) for unit in ensemble.recipe.unit_names]
    patches = np.empty((2, len(ensemble.channels), rows, columns), np.float32)
    patches[:] = np.array(level, np.float32)[:, None, None]
    answer = ensemble.predict(patches, budget="fast", misread="accept")
    known = answer.probability[~np.isnan(answer.probability)]
    assert ((known >= 0) & (known <= 1)).all()


def _make_archive(folder: Path) -> Sequence[Path]:
    bundle = folder / "bundle"
    _make_bundle(folder)
    pack(bundle, folder / "bundle.zip")
    shutil.rmtree(bundle)
    return [folder / "bundle.zip"]


def _read_archive(path: Path) -> None:
    before = sorted(path.parent.iterdir())
    try:
        landslip.load(path, threads=1)
    finally:
        assert sorted(path.parent.iterdir()) == before


_TREES = ["landslip.models.tree_files", "landslip.models.trees"]
_NETWORKS = ["landslip.models.network_files", "landslip.models.weights", "landslip.models.state"]

READERS = {
    "lightgbm": Reader(
        make=_make_trees("lightgbm", "model.txt"), read=_read_trees, imports=["lightgbm", *_TREES]
    ),
    "xgboost": Reader(
        make=_make_trees("xgboost", "model.ubj"), read=_read_trees, imports=["xgboost", *_TREES]
    ),
    "network": Reader(make=_make_network, read=_read_network, imports=_NETWORKS),
    "weights": Reader(
        make=_make_weights, read=_read_weights, imports=[*_NETWORKS, "landslip.models.encoder"]
    ),
    "state": Reader(
        make=_make_state, read=_read_state, form="safetensors", imports=["landslip.models.state"]
    ),
    "bundle": Reader(
        make=_make_bundle, read=_read_bundle,
        imports=["lightgbm", "landslip.features.statistics", "landslip.models.precision", *_TREES],
    ),
    "bundle-zip": Reader(make=_make_archive, read=_read_archive),
}  # fmt: skip
