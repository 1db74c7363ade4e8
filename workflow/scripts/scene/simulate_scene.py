"""Simulate a whole scene, with its slides' outlines."""

from pathlib import Path

from landslip.engine.jobs import begin_job, end_job
from landslip.simulation.products import simulate_scene

begin_job(snakemake)
simulate_scene(Path(snakemake.output.scene).parent, **snakemake.params.simulation)
end_job(snakemake)
