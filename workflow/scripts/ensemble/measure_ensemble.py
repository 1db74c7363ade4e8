"""Measure every member and the ensemble."""

from pathlib import Path

from landslip.engine.jobs import begin_job, end_job
from landslip.ensemble.evaluate import evaluate

begin_job(snakemake)
evaluate(
    oof=Path(snakemake.input.oof),
    test=Path(snakemake.input.test[0]) if snakemake.input.test else None,
    threshold=Path(snakemake.input.threshold),
    manifest=Path(snakemake.input.manifest),
    bootstrap=snakemake.params.bootstrap,
    seed=snakemake.params.seed,
    target=Path(snakemake.output.metrics),
)
end_job(snakemake)
