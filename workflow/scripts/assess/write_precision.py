"""Write what a reviewer's verdicts say of a map's zones."""

from pathlib import Path

from landslip.assess.precision import write_precision
from landslip.engine.jobs import begin_job, end_job

begin_job(snakemake)
write_precision(
    Path(snakemake.input.zones),
    snakemake.params.confidence,
    Path(snakemake.output.precision),
    Path(snakemake.output.page),
    **snakemake.params.threshold,
)
end_job(snakemake)
