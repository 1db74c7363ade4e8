"""Look at every new patch of a shard."""

from pathlib import Path

from landslip.bundle.judge import survey_new
from landslip.engine.jobs import begin_job, end_job

begin_job(snakemake)
survey_new(
    Path(snakemake.params.bundle),
    Path(snakemake.input.listing),
    Path(snakemake.input.listing_summary),
    shard=int(snakemake.wildcards.shard),
    shards=snakemake.params.shards,
    workers=snakemake.threads,
    target=Path(snakemake.output.survey),
)
end_job(snakemake)
