"""A whole store, as the workflow's jobs build it: its shards one after another, then the index."""

from pathlib import Path
from typing import Any

import pandas as pd

from landslip.data.nodata import NoData
from landslip.data.ranges import shard_rows, shards_for
from landslip.data.store_write import join_shards, write_shard


def write_store(
    manifest: pd.DataFrame,
    *,
    patches_per_shard: int,
    target: Path,
    **settings: Any,
) -> Path:
    """Build `target`, and its shards in a folder `{name}_shards`.

    Without `no_data` among the settings, every finite value is data.
    """
    channels = len(settings["channels"])
    settings.setdefault("no_data", NoData([(-1e38, 1e38)] * channels, [[]] * channels))
    settings.setdefault("on_zeros", "fill")
    count = shards_for(len(manifest), patches_per_shard)
    folder = target.with_name(f"{target.stem}_shards")
    shards = [folder / f"shard{number}.h5" for number in range(count)]
    for number, shard in enumerate(shards):
        rows = shard_rows(len(manifest), number, count)
        write_shard(
            manifest.iloc[rows.start : rows.stop],
            pixels=shard.with_suffix(".pixels.h5"),
            target=shard,
            **settings,
        )
    join_shards(shards, target=target)
    return target
