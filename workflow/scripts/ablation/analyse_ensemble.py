"""Analyse the ensemble's members, probabilities and threshold."""

from pathlib import Path

from landslip.ablation.analyses import write_analyses
from landslip.engine.jobs import begin_job, end_job

begin_job(snakemake)
write_analyses(
    oof=Path(snakemake.input.oof),
    prevalence=snakemake.params.prevalence,
    bootstrap=snakemake.params.bootstrap,
    seed=snakemake.params.seed,
    members=Path(snakemake.output.members),
    calibration=Path(snakemake.output.calibration),
    confusion=Path(snakemake.output.confusion),
)
end_job(snakemake)
