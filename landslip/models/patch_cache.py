"""Where the patches that a network reads lie: on its device, in host memory or in the store.

The rule, in this order. Patches lie on the device when they take at most half of its free memory;
else in host memory, whence each batch goes through pinned pages, when they take at most half of the
memory that the job was given; else each batch is read from the store, the next one while this one
is worked on.
"""

import logging
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from landslip.data.store import PatchStore

log = logging.getLogger(__name__)

# Patches read at once.
_BLOCK = 256


class Patches(Protocol):
    """Patches in the store's units, indexed as a tensor (n, channel, row, column) is."""

    @property
    def device(self) -> torch.device:
        """Where row numbers should lie, so that taking a batch waits for nothing."""

    def __len__(self) -> int: ...

    def __getitem__(self, rows: Tensor | slice) -> Tensor:
        """Patches of some rows, in any number format, on any device."""

    def prefetch(self, rows: Tensor) -> None:
        """Say which rows will be read next."""


class MemoryPatches:
    """Patches in memory.

    Parameters
    ----------
    values : (n, channel, row, column)
        On the device, or on the host.
    pin
        Hand out batches in pinned memory, which a GPU fetches while it computes.
    """

    def __init__(self, values: Tensor, *, pin: bool = False) -> None:
        self.values, self._pin = values, pin

    @property
    def device(self) -> torch.device:
        """See Patches."""
        return self.values.device

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, rows: Tensor | slice) -> Tensor:
        batch = self.values[rows]
        return batch.pin_memory() if self._pin else batch

    def prefetch(self, rows: Tensor) -> None:
        """Do nothing: the patches are in memory."""


class StoredPatches:
    """Patches that stay in the store, verified at each reading."""

    device = torch.device("cpu")

    def __init__(self, store: PatchStore, channels: list[str], *, pin: bool = False) -> None:
        self._store, self._channels, self._pin = store, channels, pin
        self._reader = ThreadPoolExecutor(1, "patches")
        self._next: tuple[Tensor, Future[Tensor]] | None = None

    def __len__(self) -> int:
        return len(self._store)

    def __getitem__(self, rows: Tensor | slice) -> Tensor:
        if isinstance(rows, slice):
            rows = torch.arange(len(self))[rows]
        expected, self._next = self._next, None
        if expected is not None and torch.equal(expected[0], rows):
            return expected[1].result()
        return self._read(rows)

    def prefetch(self, rows: Tensor) -> None:
        """Read rows in a thread, so that the next batch is there when it is read."""
        self._next = rows, self._reader.submit(self._read, rows)

    def _read(self, rows: Tensor) -> Tensor:
        batch = torch.from_numpy(self._store.read(rows.numpy(), self._channels))
        return batch.pin_memory() if self._pin else batch


class Subset:
    """Some rows of other patches, not copied."""

    def __init__(self, patches: Patches, rows: NDArray[np.int64]) -> None:
        self._patches = patches
        self._rows = torch.from_numpy(rows).to(patches.device)

    @property
    def device(self) -> torch.device:
        """See Patches."""
        return self._patches.device

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, rows: Tensor | slice) -> Tensor:
        return self._patches[self._rows[rows]]

    def prefetch(self, rows: Tensor) -> None:
        """See Patches."""
        self._patches.prefetch(self._rows[rows])


def cache_patches(
    store: PatchStore, channels: list[str], device: torch.device, *, memory_mb: float
) -> Patches:
    """Put a store's patches on the device or in host memory, or leave them in the store.

    Parameters
    ----------
    store
        Opened; its patches are read in order.
    channels
        Names of those that the network reads, in order.
    device
        Where the network computes.
    memory_mb
        Host memory that the job was given, 10^6 bytes.
    """
    _, _, rows, columns = store.shape
    shape = (len(store), len(channels), rows, columns)
    size = 4 * int(np.prod(shape))
    pin = device.type == "cuda"
    if size > 1e6 * memory_mb / 2:
        log.info(
            "%d patches (%.0f MB) take more than half of the job's %.0f MB: each batch is read "
            "from the store",
            len(store), size / 1e6, memory_mb,
        )  # fmt: skip
        return StoredPatches(store, channels, pin=pin)
    values = torch.empty(shape)
    for start in range(0, len(values), _BLOCK):
        block = values[start : start + _BLOCK].numpy()
        store.read(np.arange(start, start + len(block)), channels, out=block)
    return _on_device_or_host(values, device)


def _on_device_or_host(values: Tensor, device: torch.device) -> MemoryPatches:
    megabytes = values.nbytes / 1e6
    if device.type == "cpu":
        return MemoryPatches(values)
    free, _ = torch.cuda.mem_get_info(device)
    if values.nbytes <= free / 2:
        log.info("%d patches (%.0f MB) lie on the GPU", len(values), megabytes)
        return MemoryPatches(values.to(device))
    log.info(
        "%d patches (%.0f MB) take more than half of the GPU's free memory: they stay on the "
        "host",
        len(values), megabytes,
    )  # fmt: skip
    return MemoryPatches(values, pin=True)
