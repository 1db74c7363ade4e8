"""Statistics of patches are those of numpy and scipy, and of the patch alone."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray
from scipy import stats

from landslip.features.names import STATISTICS
from landslip.features.statistics import patch_statistics, write_statistics
from project import ROOT

FLOAT32 = float(np.finfo(np.float32).max)


def plain(patches: NDArray[np.float32]) -> NDArray[np.float64]:
    """The same by numpy and scipy, one channel at a time; constant channels by definition."""
    table = np.empty((*patches.shape[:2], len(STATISTICS)))
    for i, j in np.ndindex(*patches.shape[:2]):
        pixels = patches[i, j].ravel()
        exact = pixels.astype(np.float64)
        constant = exact.min() == exact.max()
        table[i, j] = [
            exact[0] if constant else exact.mean(),
            np.median(pixels),
            pixels.min(),
            pixels.max(),
            0 if constant else exact.std(),
            0 if constant else stats.skew(exact),
            0 if constant else stats.kurtosis(exact),
        ]
    return table


def random_patches(seed: int, *shape: int) -> NDArray[np.float32]:
    """Channels of different levels, spreads and tails."""
    rng = np.random.default_rng(seed)
    noise = rng.standard_normal(shape)
    channels = [
        np.exp(6 + 0.5 * noise),
        -12 + 3 * noise,
        np.round(noise),
        np.clip(noise, -1, 1),
        1e6 + noise,
    ]
    which = np.arange(shape[1]) % len(channels)
    return np.stack([channels[k][:, j] for j, k in enumerate(which)], axis=1).astype(np.float32)


def assert_same(found: NDArray[np.float64], expected: NDArray[np.float64]) -> None:
    exact = [STATISTICS.index(name) for name in ("median", "min", "max")]
    np.testing.assert_array_equal(found[..., exact], expected[..., exact])
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("size", [1, 2, 3, 5, 8, 15, 64, 65])
def test_statistics_are_those_of_numpy_and_scipy(size: int) -> None:
    patches = random_patches(size, 3, 6, size, size)
    assert_same(patch_statistics(patches), plain(patches))


@settings(max_examples=200, deadline=None)
@given(
    hnp.arrays(
        np.float32,
        st.tuples(st.integers(1, 2), st.integers(1, 3), st.integers(1, 9), st.integers(1, 9)),
        elements=st.floats(-1e6, 1e6, width=32),
    )
)
def test_extremes_and_median_are_exact_for_any_values(patches: NDArray[np.float32]) -> None:
    found = patch_statistics(patches)
    flat = patches.reshape(*patches.shape[:2], -1)
    np.testing.assert_array_equal(found[..., STATISTICS.index("min")], flat.min(-1))
    np.testing.assert_array_equal(found[..., STATISTICS.index("max")], flat.max(-1))
    np.testing.assert_array_equal(found[..., STATISTICS.index("median")], np.median(flat, axis=-1))
    scale = np.abs(flat).max(-1) + 1e-30
    mean = flat.mean(-1, dtype=np.float64)
    np.testing.assert_allclose((found[..., STATISTICS.index("mean")] - mean) / scale, 0, atol=1e-12)
    deviation = (found[..., STATISTICS.index("std")] - flat.std(-1, dtype=np.float64)) / scale
    np.testing.assert_allclose(deviation, 0, atol=1e-12)


@settings(max_examples=100, deadline=None)
@given(
    values=st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=1),
    repeats=st.integers(1, 60),
    seed=st.integers(0, 2**32 - 1),
)
def test_median_is_exact_with_ties_at_any_magnitude(
    values: list[float], repeats: int, seed: int
) -> None:
    pixels = np.repeat(np.array(values, np.float32), repeats)
    np.random.default_rng(seed).shuffle(pixels)
    found = patch_statistics(pixels.reshape(1, 1, 1, -1))[0, 0, STATISTICS.index("median")]
    middle = np.sort(pixels)[[(pixels.size - 1) // 2, pixels.size // 2]].astype(np.float64)
    assert found == np.float64(np.float32(middle.mean()))


@pytest.mark.parametrize(
    "values",
    [
        [0.0, -0.0, -0.0, 0.0],
        [1e-45, 3e-45, -1e-45, 0.0],
        [1e-38, 1e-40, -1e-42, 1e-44, 0.0],
        [FLOAT32, -FLOAT32, 1e38, 1.0],
        [-1e30, 1e-30, 1e-30, 1e30, 2e30],
        [3e38, 3e38, 3e38, -1.0],
    ],
)
def test_extreme_magnitudes_and_signed_zeros_stay_exact(values: list[float]) -> None:
    pixels = np.tile(np.array(values, np.float32), 40).reshape(1, 1, 8, -1)
    found = dict(zip(STATISTICS, patch_statistics(pixels)[0, 0], strict=True))
    exact = pixels.ravel().astype(np.float64)
    assert np.isfinite(list(found.values())).all()
    assert found["min"] == exact.min()
    assert found["max"] == exact.max()
    assert found["median"] == np.float64(np.float32(np.median(exact)))
    assert found["mean"] == pytest.approx(exact.mean(), rel=1e-12, abs=0)
    assert found["std"] == pytest.approx(exact.std(), rel=1e-12, abs=0)
    if exact.std() > 0:
        # of values brought near 1: what scipy does not overflow or underflow on
        unit = exact / np.abs(exact).max()
        assert found["skew"] == pytest.approx(stats.skew(unit), rel=1e-6, abs=1e-9)
        assert found["kurtosis"] == pytest.approx(stats.kurtosis(unit), rel=1e-6, abs=1e-9)


def test_a_large_mean_costs_skew_no_digits() -> None:
    # spread of a few steps of float32 at 1e7, where float32 moments would be noise
    steps = np.random.default_rng(0).geometric(0.4, size=(2, 1, 64, 64))
    patches = (1e7 + steps).astype(np.float32)
    expected = plain(steps.astype(np.float32))
    found = patch_statistics(patches)
    for name in ("std", "skew", "kurtosis"):
        k = STATISTICS.index(name)
        np.testing.assert_allclose(found[..., k], expected[..., k], rtol=1e-9)


@pytest.mark.parametrize("value", [0.0, -0.0, 0.1, -12.3, 1e-45, FLOAT32])
def test_a_constant_channel_has_no_spread_skew_or_kurtosis(value: float) -> None:
    patches = np.full((1, 2, 64, 64), value, np.float32)
    patches[0, 1, :, ::2] *= -1 if value == 0 else 1
    level = np.float64(np.float32(value))
    expected = {"mean": level, "median": level, "min": level, "max": level}
    for row in patch_statistics(patches)[0]:
        for name, found in zip(STATISTICS, row, strict=True):
            assert found == expected.get(name, 0.0), name


@pytest.mark.parametrize("symmetry", range(8))
def test_turning_or_flipping_a_patch_does_not_change_its_statistics(symmetry: int) -> None:
    patches = random_patches(1, 2, 5, 64, 64)
    turned = np.rot90(patches, symmetry % 4, axes=(2, 3))
    moved = turned[..., ::-1] if symmetry >= 4 else turned
    assert_same(patch_statistics(np.ascontiguousarray(moved)), patch_statistics(patches))
    # a view with strides is read as what it shows
    np.testing.assert_array_equal(
        patch_statistics(moved), patch_statistics(np.ascontiguousarray(moved))
    )


def test_statistics_of_a_patch_do_not_depend_on_its_neighbours() -> None:
    patches = random_patches(2, 7, 5, 16, 16)
    together = patch_statistics(patches)
    alone = np.concatenate([patch_statistics(patches[i : i + 1]) for i in range(7)])
    np.testing.assert_array_equal(together, alone)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_pixel_that_is_no_number_is_refused_with_its_position(value: float) -> None:
    patches = random_patches(3, 4, 5, 8, 8)
    patches[2, 3, 4, 5] = value
    with pytest.raises(ValueError, match="patch 2, channel 3, row 4, column 5"):
        patch_statistics(patches)


def test_no_patches_have_no_statistics() -> None:
    assert patch_statistics(np.empty((0, 5, 8, 8), np.float32)).shape == (0, 5, len(STATISTICS))
    with pytest.raises(ValueError, match="row, column"):
        patch_statistics(np.empty((3, 8, 8), np.float32))


def test_table_has_a_row_for_every_patch_and_a_column_for_every_statistic(
    small_store: Path, tmp_path: Path
) -> None:
    from landslip.data.store import open_store, read_patches

    tables = []
    for threads in (1, 3):
        target = tmp_path / f"{threads}.parquet"
        write_statistics(small_store, target, threads=threads)
        tables.append(pd.read_parquet(target))
    pd.testing.assert_frame_equal(tables[0], tables[1], check_exact=True)
    with open_store(small_store) as store:
        ids, channels = store.ids, store.channels
    assert tables[0]["id"].tolist() == ids
    names = [f"{c}_{s}" for c in channels for s in STATISTICS]
    assert tables[0].columns.tolist() == ["id", *names]
    expected = plain(read_patches(small_store))
    assert_same(tables[0][names].to_numpy().reshape(expected.shape), expected)


@pytest.mark.slow
def test_the_process_that_compiles_finds_the_bits_of_those_that_load_its_code(
    tmp_path: Path,
) -> None:
    code = (
        "import numpy as np, hashlib\n"
        "from landslip.features.scaling import channel_scaling\n"
        "from landslip.features.statistics import patch_statistics\n"
        "patches = np.random.default_rng(0).normal(size=(40, 3, 33, 31)).astype(np.float32)\n"
        "found = patch_statistics(patches).tobytes()\n"
        "found += channel_scaling(patches[:, 0]).tobytes()\n"
        "print(hashlib.sha256(found).hexdigest())\n"
    )
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path), "PYTHONPATH": str(ROOT)}
    said = {
        subprocess.run(
            [sys.executable, "-c", code],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for _ in range(2)
    }
    assert len(said) == 1
    assert list(tmp_path.rglob("*.nbi"))
