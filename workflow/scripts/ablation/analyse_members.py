"""Say what each member brings to the ensemble."""

from pathlib import Path
from typing import TYPE_CHECKING

from landslip.ablation.members import write_members
from landslip.engine.jobs import begin_job, end_job

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
write_members(
    oof=Path(snakemake.input.oof),
    bootstrap=snakemake.params.bootstrap,
    seed=snakemake.params.seed,
    target=Path(snakemake.output.members),
)
end_job(snakemake)
