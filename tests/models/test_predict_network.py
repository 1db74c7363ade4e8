"""Test patches and networks: every fold's network sees every patch, whoever shares the work."""

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from numpy.typing import NDArray

from landslip.data.store import PatchStore, read_ids, read_patches
from landslip.io.files import InputError, file_digest, read_json, read_metadata
from landslip.models.network import Architecture, MultiEncoder
from landslip.models.network_files import load_network, save_network
from landslip.models.predict_network import predict_network
from landslip.models.prediction import predict_logits, sigmoid
from landslip.models.predictions import read_test
from processors import processor_file
from stores import write_store

PATCHES, FOLDS = 330, 3
# One encoder has batch norm and convolutions, so that a batch of other patches may show.
PLAN = Architecture(
    channels=(("vv",), ("red",)),
    encoders=("test_vit2", "test_efficientnet"),
    head="V2",
    features=8,
    image_size=32,
)


def make_store(folder: Path, count: int) -> Path:
    """A store of random patches of three channels, in a folder that is made."""
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(3)
    rows = []
    for number in random.permutation(count).tolist():
        path = folder / f"ID_{number:03d}.npy"
        np.save(path, random.normal([5, -9, 0], [2, 3, 1], size=(12, 12, 3)))
        rows.append((path.stem, str(path), file_digest(path)))
    write_store(
        pd.DataFrame(rows, columns=["id", "path", "sha256"]),
        channels=["red", "vv", "diff_vv"], indices={}, on_nonfinite="refuse",
        patches_per_shard=100, workers=1, target=folder / "test.h5",
    )  # fmt: skip
    return folder / "test.h5"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_store(tmp_path_factory.mktemp("store"), PATCHES)


def write_models(folder: Path, plan: Architecture = PLAN, **changes: Any) -> list[Path]:
    """Networks with random weights, as trainings leave them; `changes` to what they tell."""
    descriptions = []
    for fold in range(FOLDS):
        torch.manual_seed(fold)
        network = MultiEncoder(plan, shift=[-9.0, 5.0][: len(plan.stack)], scale=[3.0, 2.0])
        metadata = {
            "model": "small", "fold": fold, "precision": "float32", "tta": "flips",
            "split_digest": "d", **changes,
            "settings": {
                "training": {"tta": "flips", "precision": "auto", "compile": "none"}
            },
        }  # fmt: skip
        descriptions.append(folder / f"fold{fold}" / "model.json")
        save_network(
            network, weights=descriptions[-1].with_name("model.safetensors"),
            description=descriptions[-1], metadata=metadata,
        )  # fmt: skip
    return descriptions


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return write_models(tmp_path_factory.mktemp("models"))


def predict(path: Path, trained: list[Path], target: Path, **changes: Any) -> list[pd.DataFrame]:
    """What every fold predicts."""
    targets = [target / f"{fold}.parquet" for fold in range(FOLDS)]
    arguments: dict[str, Any] = {
        "model": "small",
        "descriptions": trained,
        "processor": processor_file(path.parent),
        "store": path,
        "device": "cpu",
        "threads": 1,
        "targets": targets,
    }
    predict_network(**(arguments | changes))
    return [read_test(path).frame for path in targets]


@pytest.fixture(scope="module")
def whole(
    store: Path, trained: list[Path], tmp_path_factory: pytest.TempPathFactory
) -> list[pd.DataFrame]:
    """What one job predicts for all patches."""
    return predict(store, trained, tmp_path_factory.mktemp("whole"))


def one_by_one(store: Path, description: Path, rows: list[int]) -> NDArray[np.float64]:
    """Probability from the mean logit of a patch and its three mirror images."""
    network, _ = load_network(description)
    patches = torch.from_numpy(read_patches(store, channels=["vv", "red"]))[rows]
    with torch.inference_mode():
        logits = [
            float(torch.stack([network(patch[None].flip(axes)) for axes in AXES]).mean())
            for patch in patches
        ]
    return 1 / (1 + np.exp(-np.array(logits)))


AXES: list[list[int]] = [[], [2], [3], [2, 3]]


def test_every_fold_predicts_every_patch_in_the_stores_order(
    store: Path, trained: list[Path], whole: list[pd.DataFrame]
) -> None:
    rows = [0, 63, 64, 200, PATCHES - 1]
    for description, frame in zip(trained, whole, strict=True):
        assert frame["id"].tolist() == read_ids(store)
        np.testing.assert_allclose(
            frame["probability"].iloc[rows], one_by_one(store, description, rows), atol=1e-5
        )
    assert not np.array_equal(whole[0]["probability"], whole[1]["probability"])


def test_a_patch_has_the_same_bits_whichever_others_come_with_it() -> None:
    torch.manual_seed(0)
    network = MultiEncoder(PLAN, shift=[-9.0, 5.0], scale=[3.0, 2.0])
    patches = torch.randn(83, 2, 12, 12) * 3
    asked = partial(
        predict_logits, network, tta="flips", precision="float32", device=torch.device("cpu")
    )
    all_of_them = sigmoid(asked(patches))
    some = torch.randperm(83)[:29]
    np.testing.assert_array_equal(sigmoid(asked(patches[some])), all_of_them[some.numpy()])


def test_patches_are_read_once_for_all_folds_and_few_at_a_time(
    store: Path, trained: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[int] = []
    original = PatchStore.read

    def counted(self: PatchStore, rows: NDArray[np.int64], *arguments: Any) -> Any:
        read.extend([len(rows)])
        return original(self, rows, *arguments)

    monkeypatch.setattr(PatchStore, "read", counted)
    predict(store, trained, tmp_path)
    assert sum(read) == PATCHES
    assert max(read) <= 256


def test_the_file_tells_model_and_split(store: Path, trained: list[Path], tmp_path: Path) -> None:
    predict(store, trained, tmp_path)
    assert read_metadata(tmp_path / "1.parquet") == {"split_digest": "d", "model": "small"}


def test_damaged_weights_of_any_fold_are_refused_by_name(store: Path, tmp_path: Path) -> None:
    paths = write_models(tmp_path)
    weights = paths[2].with_name("model.safetensors")
    data = bytearray(weights.read_bytes())
    data[len(data) // 2] ^= 1
    weights.write_bytes(data)
    with pytest.raises(InputError, match=r"fold2/model\.safetensors is damaged"):
        predict(store, paths, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_what_is_not_every_fold_of_one_training_is_refused(
    store: Path, trained: list[Path], tmp_path: Path
) -> None:
    other = write_models(tmp_path / "other", split_digest="e")
    mirrored = replace(PLAN, channels=PLAN.channels[::-1])
    turned = write_models(tmp_path / "turned", mirrored)
    for given, message in (
        (trained[:2], "2 trained folds, expected 3"),
        ([trained[0], trained[2], trained[1]], r"fold2/model\.json is of small fold 2, expected"),
        ([*trained[:2], other[2]], "trainings with another split_digest"),
        ([*trained[:2], turned[2]], "trainings with another architecture"),
    ):
        with pytest.raises(InputError, match=message):
            predict(store, given, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_format_that_the_device_lacks_is_replaced_by_float32_and_told(
    store: Path,
    whole: list[pd.DataFrame],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Trained on a GPU in float16, predicted on a processor."""
    paths = write_models(tmp_path, precision="float16")
    assert read_json(paths[0])["precision"] == "float16"
    predicted = predict(store, paths, tmp_path)
    assert "small fold 1 was trained in float16, which this device lacks" in caplog.text
    np.testing.assert_array_equal(predicted[0]["probability"], whole[0]["probability"])


@pytest.mark.skipif(torch.cuda.is_available(), reason="a GPU is there")
def test_a_gpu_that_is_absent_is_refused(store: Path, trained: list[Path], tmp_path: Path) -> None:
    with pytest.raises(InputError, match="a GPU was asked for"):
        predict(store, trained, tmp_path, device="cuda")
