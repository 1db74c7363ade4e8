"""Compute the statistics of every channel of every patch of a split."""

from pathlib import Path

from landslip.engine.jobs import begin_job, end_job
from landslip.features.statistics import write_statistics

begin_job(snakemake)
write_statistics(
    Path(snakemake.input.store),
    Path(snakemake.output.features),
    threads=snakemake.threads,
)
end_job(snakemake)
