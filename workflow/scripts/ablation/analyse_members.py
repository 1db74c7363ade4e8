"""Say what each member brings to the ensemble."""

from pathlib import Path

from landslip.ablation.members import write_members
from landslip.engine.jobs import begin_job, end_job

begin_job(snakemake)
write_members(
    oof=Path(snakemake.input.oof),
    bootstrap=snakemake.params.bootstrap,
    seed=snakemake.params.seed,
    target=Path(snakemake.output.members),
)
end_job(snakemake)
