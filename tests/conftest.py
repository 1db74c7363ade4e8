"""Fixtures that every stage's tests may use."""

import signal
import socket
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import settings
from planted import check_nothing_runs, plant

from landslip.io.files import file_digest
from project import shipped_config
from stores import write_store

# Under nohup, or behind a script's `&`, these are ignored, and every child would inherit that.
for _number, _handler in (
    (signal.SIGINT, signal.default_int_handler),
    (signal.SIGHUP, signal.SIG_DFL),
):
    if signal.getsignal(_number) is signal.SIG_IGN:
        signal.signal(_number, _handler)

# A time limit would test the machine, which may be busy, not the code.
settings.register_profile("landslip", deadline=None)
settings.load_profile("landslip")


# They run whole workflows, many processes or networks, or a browser, or make a bundle, a scene or
# figures first: `make test-fast` leaves them out, and those single tests that are marked slow.
_SLOW = {
    "test_ablation_page", "test_assess_workflow", "test_browser", "test_bundle_and_training",
    "test_bundle_drift", "test_bundle_folder", "test_bundle_held_out", "test_bundle_order",
    "test_bundle_predict", "test_bundle_rules", "test_bundle_threads", "test_compilation",
    "test_contradictions", "test_crashes", "test_degrees", "test_devices", "test_encoder_check",
    "test_ensemble_numbers", "test_figures", "test_fuzzing", "test_importance_numbers",
    "test_map_workflow", "test_network", "test_predict_network", "test_prediction_jobs",
    "test_profile", "test_reruns", "test_results_folder", "test_resume", "test_scene_training",
    "test_settings", "test_shards", "test_simulation", "test_slurm", "test_sources",
    "test_tables_of_variants", "test_training", "test_tree_checks", "test_window_runs",
    "test_windows", "test_workflow", "test_workflow_inputs", "test_working_folder", "test_writing",
}  # fmt: skip


# Minutes each, begun in this order.
_LONGEST = (
    "test_slurm", "test_workflow", "test_map_workflow", "test_tables_of_variants", "test_reruns",
    "test_scene_training", "test_sources", "test_prediction_jobs", "test_crashes",
)  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of slow modules, and run the longest first."""
    for item in items:
        if item.path.stem in _SLOW:
            item.add_marker(pytest.mark.slow)
    rank = {name: number for number, name in enumerate(_LONGEST)}
    items.sort(key=lambda item: rank.get(item.path.stem, len(rank) + (item.path.stem not in _SLOW)))


@pytest.fixture
def shipped() -> dict[str, Any]:
    """config.yaml as it ships, to be changed at will."""
    return shipped_config()


@pytest.fixture
def small_store(tmp_path: Path) -> Path:
    """A store of 70 patches of three bands and one index, in shards of 16."""
    rng = np.random.default_rng(5)
    rows = []
    folder = tmp_path / "patches"
    folder.mkdir()
    for number in range(70):
        path = folder / f"ID_{number}.npy"
        levels = rng.normal([1000, 500, -12], [200, 100, 3])
        np.save(path, levels + rng.normal(size=(8, 8, 3)) * [90, 80, 2])
        rows.append((path.stem, str(path), file_digest(path)))
    return write_store(
        pd.DataFrame(rows, columns=["id", "path", "sha256"]),
        channels=["nir", "red", "vv"],
        indices={"ndvi": ("nir", "red")},
        on_nonfinite="refuse",
        patches_per_shard=16,
        workers=1,
        target=tmp_path / "store" / "train.h5",
    )


@pytest.fixture
def planted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[Path], None]:
    """Script tags in every text that pages show; call it with a page to see that none runs."""
    plant(monkeypatch)
    return partial(check_nothing_runs, folder=tmp_path)


@pytest.fixture
def nobody_called(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An address of this machine; a test fails in which somebody calls it."""
    # A proxy, by which GDAL is kept off the net, is passed over for such names.
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.setenv(name, "127.0.0.1")
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        server.settimeout(0.2)
        with pytest.raises(TimeoutError):
            server.accept()
