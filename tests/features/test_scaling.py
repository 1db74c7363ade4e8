"""Scaling parameters are exact, however patches are cut, read and shared among threads."""

import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from landslip.data.folds import split_digest
from landslip.data.nodata import NoData
from landslip.data.store import read_ids, read_patches
from landslip.data.store_write import write_shard
from landslip.features.names import SCALINGS
from landslip.features.scales import COLUMNS, QUANTILES, read_scaling, scale_and_shift
from landslip.features.scaling import channel_scaling, write_scaling
from landslip.features.scaling_shards import count_lower, count_upper, gather_lower, gather_upper
from landslip.files import InputError, read_arrays, write_arrays, write_parquet

LEVELS = list(QUANTILES.values())


def cut(patches: NDArray[np.float32], step: int) -> list[NDArray[np.float32]]:
    return [patches[i : i + step] for i in range(0, len(patches), step)]


def fit(patches: NDArray[np.float32], step: int = 1000) -> NDArray[np.float64]:
    return channel_scaling(lambda: cut(patches, step))


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
@given(patches=PATCHES, step=st.integers(1, 9))
def test_quantiles_are_those_of_numpy_for_any_split_into_blocks(
    patches: NDArray[np.float32], step: int
) -> None:
    found = fit(patches, step)
    np.testing.assert_array_equal(found[:, 2:], plain(patches)[:, 2:])
    np.testing.assert_array_equal(found, fit(patches))


@pytest.mark.parametrize("n", [1, 2, 33])
def test_parameters_are_those_of_numpy(n: int) -> None:
    rng = np.random.default_rng(n)
    patches = rng.standard_normal((n, 5, 16, 16)).astype(np.float32)
    patches[:, 1] = np.exp(6 + patches[:, 1])
    patches[:, 2] = np.round(patches[:, 2])
    patches[:, 3] += 1e6
    patches[:, 4] = np.where(patches[:, 4] > 1, 1e30, -1e-30)
    assert_same(fit(patches, 7), plain(patches))


def test_mean_and_deviation_keep_their_digits_far_from_zero() -> None:
    steps = np.random.default_rng(0).integers(0, 3, size=(20, 1, 16, 16))
    found = fit((1e7 + steps).astype(np.float32), 3)
    assert found[0, 0] == pytest.approx(1e7 + steps.mean(), rel=1e-15)
    assert found[0, 1] == pytest.approx(steps.std(), rel=1e-12)


def test_a_first_image_unlike_all_others_costs_no_digits() -> None:
    patches = np.random.default_rng(0).standard_normal((300, 1, 16, 16)).astype(np.float32)
    patches[0] += 1e9
    assert_same(fit(patches), plain(patches))


@pytest.mark.parametrize("value", [0.0, 0.1, -7.7])
def test_a_constant_channel_has_no_deviation_at_all(value: float) -> None:
    found = fit(np.full((30, 1, 9, 9), value, np.float32), 4)
    level = np.float64(np.float32(value))
    np.testing.assert_array_equal(found, [[level, 0, *[level] * 5]])


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_pixel_that_is_no_number_is_refused_with_its_position(value: float) -> None:
    patches = np.ones((10, 2, 4, 4), np.float32)
    patches[7, 1, 2, 3] = value
    with pytest.raises(ValueError, match="patch 7, channel 1, row 2, column 3"):
        fit(patches, 4)


def test_no_patches_are_refused() -> None:
    with pytest.raises(ValueError, match="no patch"):
        channel_scaling(lambda: [])


def test_threads_and_rows_give_what_the_same_patches_give_alone(
    small_store: Path, tmp_path: Path
) -> None:
    rows = np.setdiff1d(np.arange(70), [0, 1, 17, 40, 69])
    patches = read_patches(small_store)
    tables = []
    for threads in (1, 2, 7):
        target = tmp_path / f"{threads}.parquet"
        write_scaling(target, [(small_store, rows)], fit="all", threads=threads)
        tables.append(read_scaling(target))
    for table in tables:
        assert table.columns.tolist() == ["channel", *COLUMNS]
        assert table["channel"].tolist() == ["nir", "red", "vv", "ndvi"]
        assert_same(table[list(COLUMNS)].to_numpy(), fit(patches[rows]))
        pd.testing.assert_frame_equal(table, tables[0], check_exact=True)


def scattered(shards: list[Path], target: Path, leave_out: Path | None, fold: int | None) -> None:
    """As the workflow's jobs fit the parameters of many shards."""
    uppers = [target.with_name(f"upper{i}.npz") for i in range(len(shards))]
    lowers = [target.with_name(f"lower{i}.npz") for i in range(len(shards))]
    ranks = target.with_name("ranks.npz")
    how: dict[str, Any] = {"leave_out": leave_out, "fold": fold, "threads": 2}
    for shard, upper in zip(shards, uppers, strict=True):
        count_upper(shard, shards[0], upper, **how)
    gather_upper(uppers, ranks)
    for shard, lower in zip(shards, lowers, strict=True):
        count_lower(shard, ranks, lower, **how)
    gather_lower(lowers, ranks, target, fit="all")


@pytest.mark.parametrize("fold", [None, 1])
def test_jobs_over_shards_give_the_same_bytes_as_one_over_all(
    small_store: Path, tmp_path: Path, fold: int | None
) -> None:
    folds = tmp_path / "folds.parquet"
    ids = read_ids(small_store)
    table = pd.DataFrame({"id": ids, "fold": [i % 3 for i in range(len(ids))], "label": np.int8(0)})
    write_parquet(folds, table, {"split_digest": split_digest(table)})
    rows = None if fold is None else np.flatnonzero(table["fold"] != fold)
    write_scaling(tmp_path / "one.parquet", [(small_store, rows)], fit="all", threads=1)
    shards = [small_store.parent / "train_shards" / f"shard{i}.h5" for i in range(5)]
    scattered(shards, tmp_path / "many.parquet", None if fold is None else folds, fold)
    assert (tmp_path / "many.parquet").read_bytes() == (tmp_path / "one.parquet").read_bytes()


def test_shards_of_other_channels_and_damaged_counts_are_refused(
    small_store: Path, tmp_path: Path
) -> None:
    shard = small_store.parent / "train_shards" / "shard0.h5"
    target = tmp_path / "scaling.parquet"
    scattered([shard], target, None, None)
    upper = tmp_path / "upper0.npz"
    whole = upper.read_bytes()
    upper.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match=r"upper0\.npz is damaged"):
        gather_upper([upper], tmp_path / "ranks.npz")
    other = tmp_path / "other" / "shard.h5"
    empty = pd.DataFrame({"id": [], "path": [], "sha256": []})
    write_shard(
        empty, channels=["swir"], indices={}, no_data=NoData([(0, 22000)], [[]]),
        on_nonfinite="refuse", on_zeros="fill", workers=1, target=other,
        pixels=other.with_suffix(".pixels.h5"),
    )  # fmt: skip
    with pytest.raises(InputError, match="holds swir; expected nir, red, vv, ndvi"):
        count_lower(other, tmp_path / "ranks.npz", target, leave_out=None, fold=None, threads=1)


def test_several_stores_are_taken_together(small_store: Path, tmp_path: Path) -> None:
    patches = read_patches(small_store)
    parts: list[tuple[Path, NDArray[np.int64] | None]] = [
        (small_store, None),
        (small_store, np.arange(10)),
    ]
    write_scaling(tmp_path / "all.parquet", parts, fit="all", threads=2)
    found = read_scaling(tmp_path / "all.parquet")[list(COLUMNS)].to_numpy()
    assert_same(found, plain(np.concatenate([patches, patches[:10]])))


def test_memory_does_not_grow_with_the_number_of_patches(small_store: Path, tmp_path: Path) -> None:
    def peak(rows: NDArray[np.int64]) -> int:
        tracemalloc.start()
        write_scaling(tmp_path / "scaling.parquet", [(small_store, rows)], fit="all", threads=1)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    few, many = np.tile(np.arange(70), 100), np.tile(np.arange(70), 400)
    peak(few)
    # 7 MB of patches against 28 MB, read in blocks of 4 MB
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


def test_counts_of_other_channels_or_bins_are_refused(small_store: Path, tmp_path: Path) -> None:
    shard = small_store.parent / "train_shards" / "shard0.h5"
    scattered([shard], tmp_path / "scaling.parquet", None, None)
    upper, lower, ranks = (tmp_path / f"{name}.npz" for name in ("upper0", "lower0", "ranks"))
    counts = dict(np.load(upper))
    channels = counts["channels"].tolist()
    write_arrays(tmp_path / "other.npz", **{**counts, "channels": np.array(channels[::-1])})
    expected = rf"other\.npz .*{', '.join(channels[::-1])}; expected {', '.join(channels)}, as"
    with pytest.raises(InputError, match=expected):
        gather_upper([upper, tmp_path / "other.npz"], ranks)
    bins = read_arrays(lower, ["counts"])["counts"]
    write_arrays(lower, counts=bins[:-1])
    with pytest.raises(InputError, match=rf"lower0\.npz counts {len(bins) - 1} bins; expected"):
        gather_lower([lower], ranks, tmp_path / "scaling.parquet", fit="all")
