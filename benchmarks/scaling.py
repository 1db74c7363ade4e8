"""Mean, std and quantiles of a store's channels: np.quantile of all stacked, and landslip's."""

from pathlib import Path

import h5py
import numpy as np
import pandas as pd

from benchmarks.inputs import CHANNELS, INDICES, write_benchmark_store
from benchmarks.measure import Options, Variant, compare
from benchmarks.plain import plain_scaling
from landslip.features.scales import COLUMNS
from landslip.features.scaling import channel_scaling, write_scaling


def prepare(options: Options) -> None:
    """Write the store that both read."""
    write_benchmark_store(options.folder, options.patches, options.threads)


def plain(options: Options) -> None:
    """From the store to parquet, all patches in memory."""
    with h5py.File(options.folder / "store.h5", "r") as file:
        table = plain_scaling(file["patches"][:])
    frame = pd.DataFrame(table, columns=list(COLUMNS), index=[*CHANNELS, *INDICES])
    frame.to_parquet(options.folder / "plain.parquet")


def ours(options: Options) -> None:
    """From the store to parquet, digests verified."""
    sources = [(options.folder / "store.h5", None)]
    write_scaling(
        options.folder / "ours.parquet",
        sources,
        fit="all",
        max_patches=options.patches,
        seed=0,
        threads=options.threads,
    )


def warm_up(options: Options) -> None:
    """Load or compile the machine code."""
    channel_scaling(np.arange(64, dtype=np.float32).reshape(1, 8, 8))


if __name__ == "__main__":
    compare(
        str(Path(__file__).resolve()),
        __doc__,
        patches=2000,
        repeats=3,
        prepare=prepare,
        plain=Variant(plain, warm_up=lambda options: None),
        ours=Variant(ours, warm_up),
    )
