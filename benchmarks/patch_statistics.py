"""Statistics of a store's patches: the plain loop with scipy.stats, and landslip's."""

from pathlib import Path

import h5py
import numpy as np
import pandas as pd

from benchmarks.inputs import CHANNELS, INDICES, write_benchmark_store
from benchmarks.measure import Options, Variant, compare
from benchmarks.plain import plain_statistics
from landslip.features.names import STATISTICS
from landslip.features.statistics import patch_statistics, write_statistics


def prepare(options: Options) -> None:
    """Write the store that both read."""
    write_benchmark_store(options.folder, options.patches, options.threads)


def plain(options: Options) -> None:
    """From the store to parquet, one patch at a time."""
    with h5py.File(options.folder / "store.h5", "r") as file:
        table = plain_statistics(file["patches"])
    columns = [f"{channel}_{name}" for channel in (*CHANNELS, *INDICES) for name in STATISTICS]
    frame = pd.DataFrame(table.reshape(len(table), -1), columns=columns)
    frame.to_parquet(options.folder / "plain.parquet")


def ours(options: Options) -> None:
    """From the store to parquet, digests verified."""
    target = options.folder / "ours.parquet"
    write_statistics(options.folder / "store.h5", target, threads=options.threads)


def warm_up(options: Options) -> None:
    """Load or compile the machine code."""
    patch_statistics(np.zeros((1, 1, 8, 8), np.float32))


if __name__ == "__main__":
    compare(
        str(Path(__file__).resolve()),
        __doc__,
        patches=1000,
        repeats=3,
        prepare=prepare,
        plain=Variant(plain, warm_up=lambda options: None),
        ours=Variant(ours, warm_up),
    )
