"""Join the statistics of the shards of a split into one table."""

from pathlib import Path
from typing import TYPE_CHECKING

from landslip.files import file_digest, write_text
from landslip.large_tables import join_parquet
from landslip.logs import configure_logging

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

configure_logging(snakemake.log[0])
join_parquet([Path(path) for path in snakemake.input.parts], snakemake.output.features)
write_text(snakemake.output.digest, file_digest(snakemake.output.features))
