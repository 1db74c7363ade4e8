"""Assign every training patch to a fold, once."""

from pathlib import Path
from typing import TYPE_CHECKING

from landslip.data.folds import write_folds
from landslip.files import verified
from landslip.logs import configure_logging

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

configure_logging(snakemake.log[0])
write_folds(
    verified(snakemake.input.manifest, snakemake.input.digest),
    Path(snakemake.output.folds),
    **snakemake.params.folds,
)
