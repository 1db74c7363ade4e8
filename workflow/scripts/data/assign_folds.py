"""Assign every training patch to a fold, once."""

from pathlib import Path
from typing import TYPE_CHECKING

from landslip.data.folds import write_folds
from landslip.engine.jobs import begin_job, end_job

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
write_folds(
    Path(snakemake.input.manifest),
    Path(snakemake.output.folds),
    **snakemake.params.folds,
)
end_job(snakemake)
