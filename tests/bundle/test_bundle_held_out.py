"""Networks asked once more about held-out patches say what they would of such patches."""

from pathlib import Path

import numpy as np
import pytest
import torch

from landslip.bundle.held_out import predict_held_out
from landslip.data.store import read_patches
from landslip.ensemble.sensors import subsets
from landslip.io.files import read_parquet
from landslip.models.network_files import load_network
from landslip.models.prediction import predict_logits, sigmoid
from made_bundle import FOLDS, TRAIN, Made

SENSORS = ["optical", "descending", "ascending"]
PARTIAL = [f"any_net@{'+'.join(chosen)}" for chosen in subsets(SENSORS) if len(chosen) < 3]


@pytest.fixture(scope="module")
def again(made: Made, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What any_net says with fewer sensors, and rounded."""
    target = tmp_path_factory.mktemp("again") / "again.parquet"
    predict_held_out(
        model="any_net", descriptions=made.sources.models["any_net"],
        store=made.folder / "train.h5", folds=made.sources.folds,
        sensor={each["name"]: each["sensor"] for each in made.config.channel_records()},
        indices=made.config.indices, fewer=True, rounded=True,
        processor=made.folder / "processor.json", device="cpu", threads=1, target=target,
    )  # fmt: skip
    return target


def test_every_choice_of_sensors_but_all_is_a_column_and_every_patch_a_row(made: Made, again: Path):
    table = read_parquet(again)
    assert list(table.columns) == ["id", *PARTIAL, "any_net~bfloat16"]
    assert table["id"].tolist() == read_parquet(made.sources.folds)["id"].tolist()
    assert not table.isna().any().any()


@pytest.mark.parametrize("fold", range(FOLDS))
def test_a_fold_answers_for_its_own_patches_with_the_others_channels_at_their_centre(
    fold: int, made: Made, again: Path
):
    network, _ = load_network(made.sources.models["any_net"][fold])
    stack = network.architecture.stack
    rows = np.arange(TRAIN)[fold::FOLDS]
    patches = torch.from_numpy(read_patches(made.folder / "train.h5", channels=stack, rows=rows))
    table = read_parquet(again).iloc[rows]

    def says(patches: torch.Tensor) -> np.ndarray:
        return sigmoid(
            predict_logits(
                network, patches, tta="flips", precision="float32", device=torch.device("cpu")
            )
        )

    radar = patches.clone()
    radar[:, [stack.index(name) for name in ("red", "green", "blue", "nir")]] = 1500.0
    assert np.allclose(table["any_net@descending+ascending"], says(radar), atol=1e-6)
    whole = says(patches)
    assert 0 < np.abs(table["any_net~bfloat16"] - whole).max() < 0.02
