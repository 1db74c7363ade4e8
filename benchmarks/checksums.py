"""Verified reading of patches: the store's CRC-32s, or HDF5's own checksums of chunks, on one core.

Prints milliseconds of processor time, the least of five in turn, for 1,024 patches (18, 64, 64) in
random order, one at a time; files are in the cache.
"""

import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from benchmarks.inputs import write_benchmark_store
from benchmarks.recording import record
from landslip.data.store import PatchStore, open_store

PATCHES, REPEATS = 1024, 5
ORDER = np.random.default_rng(0).permutation(PATCHES)


def read_store(store: PatchStore, wanted: slice) -> None:
    """As landslip does."""
    for row in ORDER:
        store.read(np.array([row]), store.channels[wanted])


def read_chunks(patches: h5py.Dataset, wanted: slice) -> None:
    """As HDF5 does."""
    for row in ORDER.tolist():
        patches[row, wanted]


def chunked(folder: Path, values: Any, chunk: tuple[int, ...]) -> h5py.Dataset:
    """The same patches in chunks with checksums, open."""
    file = h5py.File(folder / f"{chunk[1]}.h5", "w", libver="v110")
    return file.create_dataset("patches", data=values, chunks=chunk, fletcher32=True)


def main() -> None:
    """Compare whole patches, and four neighbouring channels of each; then one line of JSON."""
    milliseconds: dict[str, dict[str, int]] = {}
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        write_benchmark_store(folder, PATCHES, workers=1)
        with open_store(folder / "store.h5") as store:
            values = store.read(np.arange(PATCHES))
            images, whole = (chunked(folder, values, (1, n, 64, 64)) for n in (1, 18))
            for name, wanted in {"patches": slice(None), "four channels": slice(3, 7)}.items():
                ways: dict[str, Callable[[], None]] = {
                    "store": partial(read_store, store, wanted),
                    "a chunk an image": partial(read_chunks, images, wanted),
                    "a chunk a patch": partial(read_chunks, whole, wanted),
                }
                least = dict.fromkeys(ways, np.inf)
                for _ in range(REPEATS):
                    for way, read in ways.items():
                        start = time.process_time()
                        read()
                        least[way] = min(least[way], 1000 * (time.process_time() - start))
                milliseconds[name] = {way: round(spent) for way, spent in least.items()}
                print(name, milliseconds[name])
    record(
        {
            "benchmark": "checksums",
            "patches": PATCHES,
            "repeats": REPEATS,
            "milliseconds": milliseconds,
        }
    )


if __name__ == "__main__":
    main()
