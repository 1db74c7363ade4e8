"""Assign every training patch to a fold, once."""

from pathlib import Path

from landslip.data.folds import write_folds
from landslip.engine.jobs import begin_job, end_job

begin_job(snakemake)
write_folds(
    Path(snakemake.input.manifest),
    Path(snakemake.output.folds),
    **snakemake.params.folds,
)
end_job(snakemake)
