"""Interpret a scene, and plan its map."""

from pathlib import Path

from landslip.engine.jobs import begin_job, end_job
from landslip.io.sums import write_sums
from landslip.scene.jobs import plan_scene
from landslip.scene.plan import read_plan

begin_job(snakemake)
plan_scene(
    Path(snakemake.params.scene),
    Path(snakemake.params.bundle),
    snakemake.params.settings,
    placebo=snakemake.wildcards.run == "placebo",
    plan=Path(snakemake.output.plan),
    checks=Path(snakemake.output.checks),
)
write_sums(snakemake.output.images, read_plan(Path(snakemake.output.plan)).files)
end_job(snakemake)
