"""Join the statistics of the shards of a split into one table."""

from pathlib import Path
from typing import TYPE_CHECKING

from landslip.engine.jobs import begin_job, end_job
from landslip.io.large_tables import join_parquet

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
join_parquet([Path(path) for path in snakemake.input.parts], snakemake.output.features)
end_job(snakemake)
