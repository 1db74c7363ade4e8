"""Train one tree model on one fold, and predict the fold."""

from pathlib import Path
from typing import TYPE_CHECKING

from landslip.devices import lease_device
from landslip.jobs import begin_job, end_job
from landslip.models.boosting import TreeSettings
from landslip.models.trees import train_trees

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

sums = begin_job(snakemake)
lease_device(snakemake.resources.get("gpu", 0), **snakemake.params.leases)
train_trees(
    model=snakemake.wildcards.model,
    settings=TreeSettings(**snakemake.params.settings),
    columns=snakemake.params.columns,
    features=(Path(snakemake.input.features), sums[snakemake.input.features]),
    folds=Path(snakemake.input.folds),
    fold=int(snakemake.wildcards.fold),
    seed=snakemake.params.seed,
    code=snakemake.params.code,
    threads=snakemake.threads,
    gpu=bool(snakemake.resources.get("gpu", 0)),
    weights=Path(snakemake.output.weights),
    description=Path(snakemake.output.description),
    oof=Path(snakemake.output.oof),
    history=Path(snakemake.output.history),
    importance=Path(snakemake.output.importance),
    cost=Path(snakemake.output.cost),
    finished=Path(snakemake.params.finished),
)
end_job(snakemake)
