"""Look at every patch of a shard."""

from pathlib import Path

from landslip.data.nodata import NoData
from landslip.data.survey import survey_shard
from landslip.engine.jobs import begin_job, end_job

begin_job(snakemake)
survey_shard(
    Path(snakemake.input.listing),
    Path(snakemake.input.listing_summary),
    split=snakemake.wildcards.split,
    shard=int(snakemake.wildcards.shard),
    shards=snakemake.params.shards,
    channels=snakemake.params.channels,
    no_data=NoData(**snakemake.params.no_data),
    workers=snakemake.threads,
    target=Path(snakemake.output.survey),
)
end_job(snakemake)
