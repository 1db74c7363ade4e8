"""Write what a filled sample says of a map."""

from pathlib import Path

from landslip.assess.accuracy import write_accuracy
from landslip.engine.jobs import begin_job, end_job

begin_job(snakemake)
write_accuracy(
    Path(snakemake.input.labels),
    Path(snakemake.input.drawn),
    Path(snakemake.input.design),
    target=Path(snakemake.output.accuracy),
    page=Path(snakemake.output.page),
)
end_job(snakemake)
