"""Measure how the ensemble is calibrated and how its threshold carries over."""

from pathlib import Path

from landslip.ablation.calibration import write_calibration
from landslip.engine.jobs import begin_job, end_job

begin_job(snakemake)
write_calibration(
    oof=Path(snakemake.input.oof),
    prevalence=snakemake.params.prevalence,
    bootstrap=snakemake.params.bootstrap,
    seed=snakemake.params.seed,
    target=Path(snakemake.output.calibration),
)
end_job(snakemake)
