"""Gather the out-of-fold predictions of every member and choose the rule that combines them."""

from pathlib import Path

from landslip.engine.jobs import begin_job, end_job
from landslip.ensemble.gather import gather_oof
from landslip.io.files import paths_by_name

begin_job(snakemake)
gather_oof(
    members=paths_by_name(snakemake.params.members, snakemake.input.oof),
    folds=Path(snakemake.input.folds),
    rule=snakemake.params.rule,
    calibration=snakemake.params.calibration,
    bootstrap=snakemake.params.bootstrap,
    seed=snakemake.params.seed,
    target=Path(snakemake.output.oof),
)
end_job(snakemake)
