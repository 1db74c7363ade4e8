"""From raw .npy patches to store, statistics and scaling: the plain way, and landslip's."""

from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.inputs import CHANNELS, INDICES, NO_DATA, write_patches
from benchmarks.measure import Options, Variant, compare
from benchmarks.plain import plain_scaling, plain_statistics, plain_store
from landslip.data.store_write import write_shard
from landslip.features.scales import COLUMNS
from landslip.features.scaling import channel_scaling, write_scaling
from landslip.features.statistics import patch_statistics, write_statistics


def prepare(options: Options) -> None:
    """Write the .npy files that both read."""
    manifest = write_patches(options.folder / "patches", options.patches)
    manifest.to_parquet(options.folder / "manifest.parquet")


def plain(options: Options) -> None:
    """All in memory, one patch after another."""
    paths = sorted((options.folder / "patches").glob("*.npy"))
    stacked = plain_store(paths, CHANNELS, INDICES, options.folder / "plain.h5")
    table = plain_statistics(stacked)
    pd.DataFrame(table.reshape(len(table), -1)).to_csv(options.folder / "plain_statistics.csv")
    frame = pd.DataFrame(plain_scaling(stacked), columns=list(COLUMNS))
    frame.to_csv(options.folder / "plain_scaling.csv")


def ours(options: Options) -> None:
    """Digests of files and of what they hold computed and verified, start of workers included."""
    folder = options.folder
    store = folder / "ours.h5"
    write_shard(
        pd.read_parquet(folder / "manifest.parquet"),
        channels=CHANNELS,
        indices=INDICES,
        no_data=NO_DATA,
        on_nonfinite="refuse",
        on_zeros="fill",
        workers=options.threads,
        target=store,
        pixels=folder / "ours.pixels.h5",
    )
    write_statistics(store, folder / "ours_statistics.parquet", threads=options.threads)
    write_scaling(
        folder / "ours_scaling.parquet",
        [(store, None)],
        fit="all",
        max_patches=options.patches,
        seed=0,
        threads=options.threads,
    )


def warm_up(options: Options) -> None:
    """Load or compile the machine code."""
    patch = np.arange(64, dtype=np.float32).reshape(1, 1, 8, 8)
    patch_statistics(patch)
    channel_scaling(patch[:, 0])


if __name__ == "__main__":
    compare(
        str(Path(__file__).resolve()),
        __doc__,
        patches=2000,
        repeats=2,
        prepare=prepare,
        plain=Variant(plain, warm_up=lambda options: None),
        ours=Variant(ours, warm_up),
    )
