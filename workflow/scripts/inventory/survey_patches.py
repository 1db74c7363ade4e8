"""Look at every patch of a shard, a window of a scene."""

from pathlib import Path

from landslip.data.nodata import NoData
from landslip.data.survey import survey_shard
from landslip.engine.jobs import begin_job, end_job
from landslip.inventory.reader import open_windows

begin_job(snakemake)
survey_shard(
    Path(snakemake.input.listing),
    Path(snakemake.input.listing_summary),
    split=snakemake.wildcards.split,
    shard=int(snakemake.wildcards.shard),
    shards=snakemake.params.shards,
    channels=len(snakemake.params.channels),
    no_data=NoData(**snakemake.params.no_data),
    workers=snakemake.threads,
    target=Path(snakemake.output.survey),
    reader=open_windows(map(Path, snakemake.input.records), snakemake.params.channels),
)
end_job(snakemake)
