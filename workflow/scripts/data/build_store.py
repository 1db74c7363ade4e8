"""Convert one shard of the patches of a split, indices appended, into HDF5."""

from pathlib import Path
from typing import TYPE_CHECKING

from landslip.data.nodata import NoData
from landslip.data.shard_tables import usable_patches
from landslip.data.store_write import write_shard
from landslip.files import verified
from landslip.logs import configure_logging

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

configure_logging(snakemake.log[0])
write_shard(
    usable_patches(
        verified(snakemake.input.manifest, snakemake.input.digest),
        split=snakemake.wildcards.split,
        shard=int(snakemake.wildcards.shard),
        shards=snakemake.params.shards,
    ),
    **snakemake.params.settings,
    no_data=NoData(**snakemake.params.no_data),
    workers=snakemake.threads,
    target=Path(snakemake.output.shard),
    digest=Path(snakemake.output.digest),
)
