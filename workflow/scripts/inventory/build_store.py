"""Convert one shard of the windows of a split, indices appended, into HDF5."""

from pathlib import Path

from landslip.data.nodata import NoData
from landslip.data.shard_tables import usable_patches
from landslip.data.store_write import write_shard
from landslip.engine.jobs import begin_job, end_job
from landslip.inventory.reader import open_windows

begin_job(snakemake)
reader = open_windows(map(Path, snakemake.input.records), snakemake.params.settings["channels"])
write_shard(
    usable_patches(
        Path(snakemake.input.manifest),
        reader.columns,
        split=snakemake.wildcards.split,
        shard=int(snakemake.wildcards.shard),
        shards=snakemake.params.shards,
    ),
    **snakemake.params.settings,
    no_data=NoData(**snakemake.params.no_data),
    workers=snakemake.threads,
    pixels=Path(snakemake.output.pixels),
    target=Path(snakemake.output.shard),
    reader=reader,
)
end_job(snakemake)
