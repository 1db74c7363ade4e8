"""Interpret a scene, and plan its map."""

from pathlib import Path

from landslip.engine.jobs import begin_job, end_job, record_seen
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
record_seen(snakemake.output.images, read_plan(Path(snakemake.output.plan)).files)
end_job(snakemake)
