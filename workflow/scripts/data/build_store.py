"""Convert the patches of one split, indices appended, into the HDF5 store."""

from pathlib import Path
from typing import TYPE_CHECKING

from landslip.data.store_write import write_store
from landslip.files import read_parquet, verified
from landslip.logs import configure_logging

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

configure_logging(snakemake.log[0])
settings = snakemake.params.settings
manifest = read_parquet(verified(snakemake.input.manifest, snakemake.input.digest))
write_store(
    manifest[(manifest["split"] == snakemake.wildcards.split) & (manifest["status"] == "ok")],
    channels=settings["channels"],
    indices=settings["indices"],
    on_nonfinite=settings["on_nonfinite"],
    patches_per_shard=settings["patches_per_shard"],
    workers=snakemake.threads,
    target=Path(snakemake.output.store),
    shards=Path(snakemake.output.shards),
    digest=Path(snakemake.output.digest),
)
