"""Interpret a scene, and find the windows of it that were seen."""

from pathlib import Path

from landslip.engine.jobs import begin_job, end_job
from landslip.inventory.windows import Cut, look_at_scene
from landslip.scene.interpreter import ChannelConventions

begin_job(snakemake)
look_at_scene(
    Path(snakemake.params.scene),
    ChannelConventions(**snakemake.params.conventions),
    Cut(**snakemake.params.cut),
    table=Path(snakemake.output.windows),
    record=Path(snakemake.output.record),
)
end_job(snakemake)
