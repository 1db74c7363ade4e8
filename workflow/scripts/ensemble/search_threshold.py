"""Search the threshold that maximises the F1 of the out-of-fold predictions."""

from pathlib import Path
from typing import TYPE_CHECKING

from landslip.ensemble.threshold import search_threshold
from landslip.logs import configure_logging

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

configure_logging(snakemake.log[0])
search_threshold(
    oof=Path(snakemake.input.oof),
    method=snakemake.params.method,
    bootstrap=snakemake.params.bootstrap,
    seed=snakemake.params.seed,
    target=Path(snakemake.output.threshold),
)
