"""Join the shards of a split into one store."""

from pathlib import Path

from landslip.data.store_write import join_shards
from landslip.engine.jobs import begin_job, end_job

begin_job(snakemake)
join_shards(
    [Path(path) for path in snakemake.input.shards],
    target=Path(snakemake.output.store),
)
end_job(snakemake)
