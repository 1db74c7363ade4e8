"""Predict with one tree model whose features are shuffled group by group."""

from pathlib import Path

from landslip.ablation.permutation import permute_groups
from landslip.engine.jobs import begin_job, end_job

begin_job(snakemake)
permute_groups(
    model=snakemake.wildcards.model,
    descriptions=[Path(path) for path in snakemake.input.descriptions],
    features=Path(snakemake.input.features),
    folds=Path(snakemake.input.folds),
    groupings=snakemake.params.groupings,
    repeats=snakemake.params.repeats,
    seed=snakemake.params.seed,
    threads=snakemake.threads,
    target=Path(snakemake.output.predictions),
)
end_job(snakemake)
