"""Fit the scaling parameters of every channel on the patches of one or both stores."""

from pathlib import Path

from landslip.data.folds import training_rows
from landslip.engine.jobs import begin_job, end_job
from landslip.features.scaling import write_scaling

begin_job(snakemake)
fit, _, fold = snakemake.params.scope.partition("fold")
rows = training_rows(Path(snakemake.input.folds[0]), int(fold)) if fold else None
write_scaling(
    Path(snakemake.output.scaling),
    [(Path(store), rows) for store in snakemake.input.stores],
    fit=fit or "fold",
    max_patches=snakemake.params.max_patches,
    seed=snakemake.params.seed,
    threads=snakemake.threads,
)
end_job(snakemake)
