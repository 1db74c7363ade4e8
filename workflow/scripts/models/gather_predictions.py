"""Join the test predictions of one model from its shards."""

from pathlib import Path
from typing import TYPE_CHECKING

from landslip.engine.jobs import begin_job, end_job
from landslip.io.files import paths_by_name
from landslip.models.gather_predictions import gather_predictions

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
gather_predictions(
    model=snakemake.wildcards.model,
    shards=list(paths_by_name(snakemake.output.predictions, snakemake.input.shards).values()),
    manifest=Path(snakemake.input.manifest),
    targets=[Path(path) for path in snakemake.output.predictions],
)
end_job(snakemake)
