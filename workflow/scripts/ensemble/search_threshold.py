"""Search the threshold that maximises the F1 of the out-of-fold predictions."""

from pathlib import Path

from landslip.engine.jobs import begin_job, end_job
from landslip.ensemble.search import search_threshold

begin_job(snakemake)
search_threshold(
    oof=Path(snakemake.input.oof),
    method=snakemake.params.method,
    bootstrap=snakemake.params.bootstrap,
    seed=snakemake.params.seed,
    target=Path(snakemake.output.threshold),
)
end_job(snakemake)
