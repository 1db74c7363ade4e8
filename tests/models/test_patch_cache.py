"""Patches come out the same wherever they lie."""

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
)

CPU = torch.device("cpu")


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
