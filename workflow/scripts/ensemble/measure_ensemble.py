"""Measure every member and the ensemble."""

from pathlib import Path
from typing import TYPE_CHECKING

from landslip.ensemble.metrics import measure
from landslip.files import verified
from landslip.logs import configure_logging

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

configure_logging(snakemake.log[0])
measure(
    oof=Path(snakemake.input.oof),
    test=Path(snakemake.input.test),
    threshold=Path(snakemake.input.threshold),
    manifest=verified(snakemake.input.manifest, snakemake.input.manifest_digest),
    bootstrap=snakemake.params.bootstrap,
    seed=snakemake.params.seed,
    target=Path(snakemake.output.metrics),
)
