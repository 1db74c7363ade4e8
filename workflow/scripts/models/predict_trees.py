"""Predict the test patches with the trees of all folds of one model."""

from pathlib import Path

from landslip.engine.jobs import begin_job, end_job
from landslip.models.predict_trees import predict_trees

begin_job(snakemake)
predict_trees(
    model=snakemake.wildcards.model,
    descriptions=[Path(path) for path in snakemake.input.descriptions],
    features=Path(snakemake.input.features),
    threads=snakemake.threads,
    targets=[Path(path) for path in snakemake.output.predictions],
)
end_job(snakemake)
