"""Show what the sensors saw of each drawn cell."""

from pathlib import Path

from landslip.assess.pictures import write_pictures
from landslip.engine.jobs import begin_job, end_job

begin_job(snakemake)
write_pictures(
    Path(snakemake.input.plan),
    Path(snakemake.input.drawn),
    target=Path(snakemake.output.page),
)
end_job(snakemake)
