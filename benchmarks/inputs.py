"""Patches that resemble the data, for the benchmarks."""

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from landslip.data.nodata import NoData
from landslip.data.store_write import write_shard
from landslip.io.files import file_digest

CHANNELS = (
    *("red", "green", "blue", "nir"),
    *("desc_vv", "desc_vh", "desc_diff_vv", "desc_diff_vh"),
    *("asc_vv", "asc_vh", "asc_diff_vv", "asc_diff_vh"),
)
INDICES = {
    "ndvi": ("nir", "red"),
    "ndwi": ("nir", "green"),
    "nir_blue": ("nir", "blue"),
    "blue_green": ("blue", "green"),
    "blue_red": ("blue", "red"),
    "green_red": ("green", "red"),
}
# As config.yaml has them.
NO_DATA = NoData(
    plausible=[(0, 22000)] * 4 + [*[(-70, 40)] * 2, *[(-60, 60)] * 2] * 2,
    values=[[]] * len(CHANNELS),
    zeros=[[0, 1, 2, 3], [4, 5], [8, 9]],
)
_LEVELS = np.array([900, 850, 650, 2400, -11, -18, 0, 0, -11, -18, 0, 0])
_SPREADS = np.array([0.35, 0.3, 0.3, 0.3, 3, 3, 2, 2, 3, 3, 2, 2])
_OPTICAL = 4


def random_patches(rng: np.random.Generator, n: int, size: int = 64) -> NDArray[np.float64]:
    """Patches (n, row, column, band) with levels, spreads and blobs like those of the data."""
    coarse = rng.standard_normal((n, size // 8, size // 8, len(_LEVELS)))
    noise = 0.8 * coarse.repeat(8, axis=1).repeat(8, axis=2)
    noise += 0.6 * rng.standard_normal((n, size, size, len(_LEVELS)))
    noise *= _SPREADS
    patches = _LEVELS + noise
    patches[..., :_OPTICAL] = np.round(_LEVELS[:_OPTICAL] * np.exp(noise[..., :_OPTICAL]))
    return patches


def write_patches(folder: Path, n: int) -> pd.DataFrame:
    """Write n .npy files; return the manifest of them (id, path, sha256)."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    rows = []
    for start in range(0, n, 50):
        for number, patch in enumerate(random_patches(rng, min(50, n - start)), start):
            path = folder / f"ID_{number:06d}.npy"
            np.save(path, patch)
            rows.append((path.stem, str(path), file_digest(path)))
    return pd.DataFrame(rows, columns=["id", "path", "sha256"])


def write_benchmark_store(folder: Path, n: int, workers: int) -> None:
    """Write `folder`/store.h5, one shard of n patches."""
    write_shard(
        write_patches(folder / "patches", n),
        channels=CHANNELS,
        indices=INDICES,
        no_data=NO_DATA,
        on_nonfinite="refuse",
        on_zeros="fill",
        workers=workers,
        target=folder / "store.h5",
        pixels=folder / "store.pixels.h5",
    )
