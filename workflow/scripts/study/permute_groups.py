"""Predict with one tree model whose features are shuffled group by group."""

from pathlib import Path
from typing import TYPE_CHECKING

from landslip.files import verified
from landslip.logs import configure_logging
from landslip.study.permutation import permute_groups

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

configure_logging(snakemake.log[0])
permute_groups(
    model=snakemake.wildcards.model,
    descriptions=[Path(path) for path in snakemake.input.descriptions],
    features=verified(snakemake.input.features, snakemake.input.features_digest),
    folds=Path(snakemake.input.folds),
    groupings=snakemake.params.groupings,
    repeats=snakemake.params.repeats,
    seed=snakemake.params.seed,
    threads=snakemake.threads,
    target=Path(snakemake.output.predictions),
)
