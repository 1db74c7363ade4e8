"""Patches come out the same wherever they lie, in an exact format."""

from pathlib import Path

import numpy as np
import pytest
import torch

from landslip.data.store import open_store, read_patches
from landslip.models.patch_cache import (
    MemoryPatches,
    StoredPatches,
    Subset,
    cache_patches,
    exact_dtype,
)

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        ([0.0, 255.0, 17.0], torch.uint8),
        ([0.0, 256.0], torch.float32),
        ([-1.0], torch.float32),
        ([0.5], torch.float32),
        ([float("nan")], torch.float32),
        ([0.1], torch.float32),
    ],
)
def test_bytes_are_held_as_bytes_and_all_else_as_float32(values: list[float], dtype: torch.dtype):
    tensor = torch.tensor(values)
    assert exact_dtype(tensor) == dtype
    torch.testing.assert_close(tensor.to(dtype).float(), tensor, rtol=0, atol=0, equal_nan=True)


@pytest.mark.parametrize(("memory_mb", "kind"), [(1000, MemoryPatches), (0.001, StoredPatches)])
def test_batches_are_the_stores_wherever_patches_lie(
    small_store: Path, memory_mb: float, kind: type
) -> None:
    with open_store(small_store) as store:
        channels = store.channels[1::-1]
        expected = torch.from_numpy(read_patches(small_store, channels=channels))
        patches = cache_patches(store, channels, CPU, memory_mb=memory_mb)
        assert isinstance(patches, kind)
        assert len(patches) == len(expected)
        rows = torch.tensor([3, 0, 3])
        patches.prefetch(torch.tensor([1]))  # another one than is asked for then
        assert torch.equal(patches[rows].float(), expected[rows])
        patches.prefetch(rows)
        assert torch.equal(patches[rows].float(), expected[rows])
        assert torch.equal(patches[1:3].float(), expected[1:3])
        some = Subset(patches, np.array([2, 5, 7]))
        assert len(some) == 3
        some.prefetch(torch.tensor([2, 0]))
        assert torch.equal(some[torch.tensor([2, 0])].float(), expected[[7, 2]])
