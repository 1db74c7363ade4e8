"""Scaling parameters are exact of the patches that they are computed on: all, or a fair sample."""

import json
import tracemalloc
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from landslip.data.store import read_patches
from landslip.features.names import SCALINGS
from landslip.features.scales import COLUMNS, QUANTILES, read_scaling, scale_and_shift
from landslip.features.scaling import channel_scaling, level_errors, write_scaling
from landslip.io.files import InputError, read_metadata

LEVELS = list(QUANTILES.values())


def fit(patches: NDArray[np.float32]) -> NDArray[np.float64]:
    return np.array([channel_scaling(patches[:, i]) for i in range(patches.shape[1])])


def fit_stores(
    target: Path, *sources: tuple[Path, NDArray[np.int64] | None], max_patches: int = 1000,
    seed: int = 0, threads: int = 2,
) -> pd.DataFrame:  # fmt: skip
    write_scaling(target, sources, fit="all", max_patches=max_patches, seed=seed, threads=threads)
    return read_scaling(target)


def plain(patches: NDArray[np.float32]) -> NDArray[np.float64]:
    """The same by numpy, everything in memory."""
    table = []
    for number in range(patches.shape[1]):
        pixels = patches[:, number].astype(np.float64).ravel()
        table.append([pixels.mean(), pixels.std(), *np.quantile(pixels, LEVELS)])
    return np.array(table)


def assert_same(found: NDArray[np.float64], expected: NDArray[np.float64]) -> None:
    np.testing.assert_allclose(found[:, :2], expected[:, :2], rtol=1e-10, atol=1e-12)
    np.testing.assert_array_equal(found[:, 2:], expected[:, 2:])


PATCHES = hnp.arrays(
    np.float32,
    st.tuples(st.integers(1, 9), st.integers(1, 3), st.integers(1, 4), st.integers(1, 4)),
    elements=st.one_of(
        st.sampled_from([0.0, -0.0, 1.0, -1.0]),
        st.floats(-100, 100, width=32),
        st.floats(-(2.0**-126), 2.0**-126, width=32),
    ),
)


@settings(max_examples=150, deadline=None)
@given(patches=PATCHES)
def test_quantiles_are_those_of_numpy(patches: NDArray[np.float32]) -> None:
    np.testing.assert_array_equal(fit(patches)[:, 2:], plain(patches)[:, 2:])


@pytest.mark.parametrize("n", [1, 2, 33])
def test_parameters_are_those_of_numpy(n: int) -> None:
    rng = np.random.default_rng(n)
    patches = rng.standard_normal((n, 5, 16, 16)).astype(np.float32)
    patches[:, 1] = np.exp(6 + patches[:, 1])
    patches[:, 2] = np.round(patches[:, 2])
    patches[:, 3] += 1e6
    patches[:, 4] = np.where(patches[:, 4] > 1, 1e30, -1e-30)
    assert_same(fit(patches), plain(patches))


def test_mean_and_deviation_keep_their_digits_far_from_zero() -> None:
    steps = np.random.default_rng(0).integers(0, 3, size=(20, 1, 16, 16))
    found = fit((1e7 + steps).astype(np.float32))
    assert found[0, 0] == pytest.approx(1e7 + steps.mean(), rel=1e-15)
    assert found[0, 1] == pytest.approx(steps.std(), rel=1e-12)


def test_a_first_image_unlike_all_others_costs_no_digits() -> None:
    patches = np.random.default_rng(0).standard_normal((300, 1, 16, 16)).astype(np.float32)
    patches[0] += 1e9
    assert_same(fit(patches), plain(patches))


@pytest.mark.parametrize("value", [0.0, 0.1, -7.7])
def test_a_constant_channel_has_no_deviation_at_all(value: float) -> None:
    found = fit(np.full((30, 1, 9, 9), value, np.float32))
    level = np.float64(np.float32(value))
    np.testing.assert_array_equal(found, [[level, 0, *[level] * 5]])


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_pixel_that_is_no_number_is_refused_with_its_position(value: float) -> None:
    patches = np.ones((10, 2, 4, 4), np.float32)
    patches[7, 1, 2, 3] = value
    with pytest.raises(ValueError, match="patch 7, row 2, column 3"):
        fit(patches)


def test_no_patches_are_refused() -> None:
    with pytest.raises(ValueError, match="no patch"):
        channel_scaling(np.empty((0, 4, 4), np.float32))


def test_threads_and_rows_give_what_the_same_patches_give_alone(
    small_store: Path, tmp_path: Path
) -> None:
    rows = np.setdiff1d(np.arange(70), [0, 1, 17, 40, 69])
    patches = read_patches(small_store)
    tables = [
        fit_stores(tmp_path / "scaling.parquet", (small_store, rows), threads=threads)
        for threads in (1, 2, 7)
    ]
    for table in tables:
        assert table.columns.tolist() == ["channel", *COLUMNS]
        assert table["channel"].tolist() == ["nir", "red", "vv", "ndvi"]
        np.testing.assert_array_equal(table[list(COLUMNS)].to_numpy(), fit(patches[rows]))
        assert_same(table[list(COLUMNS)].to_numpy(), plain(patches[rows]))


def test_several_stores_are_taken_together(small_store: Path, tmp_path: Path) -> None:
    patches = read_patches(small_store)
    parts = ((small_store, None), (small_store, np.arange(10)))
    found = fit_stores(tmp_path / "all.parquet", *parts)[list(COLUMNS)].to_numpy()
    assert_same(found, plain(np.concatenate([patches, patches[:10]])))
    metadata = read_metadata(tmp_path / "all.parquet")
    assert (metadata["patches"], metadata["sampled"]) == ("80", "80")
    assert set(json.loads(metadata["level_error"]).values()) == {0}


def test_of_more_patches_a_sample_is_read_that_follows_from_the_seed(
    small_store: Path, tmp_path: Path
) -> None:
    target = tmp_path / "scaling.parquet"
    parts = ((small_store, None), (small_store, np.arange(10)))

    def sample(seed: int, threads: int = 2) -> pd.DataFrame:
        return fit_stores(target, *parts, max_patches=50, seed=seed, threads=threads)

    first = sample(1)
    metadata = read_metadata(target)
    assert (metadata["patches"], metadata["sampled"]) == ("80", "50")
    assert json.loads(metadata["level_error"]) == level_errors(80, 50)
    pd.testing.assert_frame_equal(sample(1, threads=1), first, check_exact=True)
    assert not sample(2).equals(first)
    assert not fit_stores(target, *parts).equals(first)


def test_no_sample_is_off_by_more_than_its_error_says() -> None:
    """Each patch wholly below or above every quantile: the most that a sample can err."""
    rng = np.random.default_rng(0)
    whole = rng.permutation(20000).astype(np.float32)
    levels = np.array(LEVELS)
    found = []
    for _ in range(300):
        sample = rng.choice(whole, 4000, replace=False)
        values = np.broadcast_to(sample[:, None, None], (4000, 2, 2)).copy()
        found.append((whole < channel_scaling(values)[2:, None]).mean(axis=1))
    spread = np.sqrt(((np.array(found) - levels) ** 2).mean(axis=0))
    stated = np.array(list(level_errors(20000, 4000).values()))
    assert ((spread > 0.8 * stated) & (spread < 1.2 * stated)).all()


def test_memory_does_not_grow_with_the_number_of_patches(small_store: Path, tmp_path: Path) -> None:
    def peak(rows: NDArray[np.int64]) -> int:
        tracemalloc.start()
        fit_stores(tmp_path / "scaling.parquet", (small_store, rows), max_patches=4000, threads=1)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    few, many = np.tile(np.arange(70), 60), np.tile(np.arange(70), 400)
    peak(few)
    # Of one channel 4 MB are read, of 4.2 MB and of 28 MB; the numbers of rows alone are more.
    assert peak(many) < peak(few) + 2e6


def table_of(**channels: list[float]) -> pd.DataFrame:
    rows = [[name, *values] for name, values in channels.items()]
    return pd.DataFrame(rows, columns=["channel", *COLUMNS])


def test_each_scaling_subtracts_and_divides_by_its_own_parameters() -> None:
    table = table_of(red=[10, 2, 1, 3, 9, 14, 20], vv=[-12, 3, -20, -17, -11, -7, -5])
    expected = {
        "standard": ([-12, 10], [3, 2]),
        "robust": ([-11, 9], [10, 11]),
        "robust_1_99": ([-11, 9], [15, 19]),
    }
    assert set(expected) == set(SCALINGS)
    for kind, (shift, scale) in expected.items():
        found = scale_and_shift(table, ["vv", "red"], kind)
        np.testing.assert_array_equal(found, [shift, scale])


@pytest.mark.parametrize("kind", SCALINGS)
def test_no_scale_is_zero(kind: str) -> None:
    table = table_of(constant=[5, 0, 5, 5, 5, 5, 5], rare=[0.1, 0.5, 0, 0, 0, 0, 0])
    _, scale = scale_and_shift(table, ["constant", "rare"], kind)
    np.testing.assert_array_equal(scale, [1, 0.5])


def test_a_channel_without_parameters_is_refused() -> None:
    with pytest.raises(InputError, match="swir"):
        scale_and_shift(table_of(red=[1] * 7), ["red", "swir"], "standard")
