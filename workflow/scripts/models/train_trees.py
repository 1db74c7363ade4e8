"""Train one tree model on one fold; predict the fold and the test patches."""

from pathlib import Path
from typing import TYPE_CHECKING

from landslip.devices import lease_device
from landslip.files import verified
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
    features=verified(snakemake.input.features, snakemake.input.features_digest),
    test_features=verified(snakemake.input.test_features, snakemake.input.test_features_digest),
    folds=Path(snakemake.input.folds),
    fold=int(snakemake.wildcards.fold),
    seed=snakemake.params.seed,
    threads=snakemake.threads,
    gpu=bool(snakemake.resources.get("gpu", 0)),
    weights=Path(snakemake.output.weights),
    description=Path(snakemake.output.description),
    oof=Path(snakemake.output.oof),
    test=Path(snakemake.output.test),
    history=Path(snakemake.output.history),
    importance=Path(snakemake.output.importance),
    cost=Path(snakemake.output.cost),
)
