"""Bring the answers of all shards together."""

from pathlib import Path

from landslip.bundle.files import gather_answers
from landslip.engine.jobs import begin_job, end_job

begin_job(snakemake)
gather_answers(
    Path(snakemake.input.manifest),
    [Path(path) for path in snakemake.input.answers],
    target=Path(snakemake.output.predictions),
    csv=Path(snakemake.output.csv),
)
end_job(snakemake)
