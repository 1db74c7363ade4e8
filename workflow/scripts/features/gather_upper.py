"""Gather the first pass over all shards: where the second has to look."""

from pathlib import Path
from typing import TYPE_CHECKING

from landslip.features.scaling_shards import gather_upper
from landslip.logs import configure_logging

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

configure_logging(snakemake.log[0])
gather_upper([Path(path) for path in snakemake.input.parts], Path(snakemake.output.ranks))
