"""Measure how the ensemble is calibrated and how its threshold carries over."""

from pathlib import Path
from typing import TYPE_CHECKING

from landslip.logs import configure_logging
from landslip.study.calibration import write_calibration

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

configure_logging(snakemake.log[0])
write_calibration(
    oof=Path(snakemake.input.oof),
    prevalence=snakemake.params.prevalence,
    bootstrap=snakemake.params.bootstrap,
    seed=snakemake.params.seed,
    target=Path(snakemake.output.calibration),
)
