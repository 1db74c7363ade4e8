"""Simulate patches in the competition's layout."""

from pathlib import Path

from landslip.engine.jobs import begin_job, end_job
from landslip.simulation.write import simulate_patches

begin_job(snakemake)
simulate_patches(
    Path(snakemake.output.labels).parent,
    **snakemake.params.simulation,
    workers=snakemake.threads,
)
end_job(snakemake)
