"""Simulate patches in the competition's layout."""

from pathlib import Path
from typing import TYPE_CHECKING

from landslip.data.simulation.write import simulate_patches
from landslip.logs import configure_logging

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

configure_logging(snakemake.log[0])
simulate_patches(
    Path(snakemake.output.labels).parent,
    **snakemake.params.simulation,
    workers=snakemake.threads,
)
