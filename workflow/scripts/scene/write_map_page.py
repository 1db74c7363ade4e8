"""Write the map's page, item, style and verdicts, and pack all into one archive."""

from pathlib import Path

from landslip.engine.jobs import begin_job, end_job
from landslip.scene.jobs import finish_map

begin_job(snakemake)
finish_map(
    Path(snakemake.input.plan),
    checks=Path(snakemake.input.checks),
    probability=Path(snakemake.input.probability),
    zones=Path(snakemake.input.zones),
    facts=Path(snakemake.input.facts),
    bundle=Path(snakemake.params.bundle),
    question=snakemake.params.question,
    page=Path(snakemake.output.page),
    archive=Path(snakemake.output.archive),
)
end_job(snakemake)
