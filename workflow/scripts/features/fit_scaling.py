"""Fit the scaling parameters of every channel."""

from pathlib import Path
from typing import TYPE_CHECKING

from landslip.data.folds import training_rows
from landslip.features.scaling import write_scaling
from landslip.logs import configure_logging

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

configure_logging(snakemake.log[0])
fold = snakemake.params.fold
rows = None if fold is None else training_rows(Path(snakemake.input.folds), fold)
write_scaling(
    Path(snakemake.output.scaling),
    [(Path(store), rows) for store in snakemake.input.stores],
    threads=snakemake.threads,
)
