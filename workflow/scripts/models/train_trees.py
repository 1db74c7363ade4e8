"""Train one tree model on one fold, and predict the fold."""

from pathlib import Path
from typing import TYPE_CHECKING

from landslip.devices import lease_device
from landslip.files import read_digest, verified
from landslip.logs import configure_logging
from landslip.models.boosting import TreeSettings
from landslip.models.trees import train_trees

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

configure_logging(snakemake.log[0])
lease_device(snakemake.resources.get("gpu", 0), **snakemake.params.leases)
train_trees(
    model=snakemake.wildcards.model,
    settings=TreeSettings(**snakemake.params.settings),
    columns=snakemake.params.columns,
    features=(
        verified(snakemake.input.features, snakemake.input.features_digest),
        read_digest(snakemake.input.features_digest),
    ),
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
