"""Convert one shard of the patches of a split, indices appended, into HDF5."""

from pathlib import Path

from landslip.data.nodata import NoData
from landslip.data.shard_tables import usable_patches
from landslip.data.store_write import write_shard
from landslip.engine.jobs import begin_job, end_job

begin_job(snakemake)
write_shard(
    usable_patches(
        Path(snakemake.input.manifest),
        split=snakemake.wildcards.split,
        shard=int(snakemake.wildcards.shard),
        shards=snakemake.params.shards,
    ),
    **snakemake.params.settings,
    no_data=NoData(**snakemake.params.no_data),
    workers=snakemake.threads,
    pixels=Path(snakemake.output.pixels),
    target=Path(snakemake.output.shard),
)
end_job(snakemake)
