"""Compute the statistics of every channel of every patch of a shard."""

from pathlib import Path
from typing import TYPE_CHECKING

from landslip.features.statistics import write_statistics
from landslip.files import read_digest
from landslip.logs import configure_logging

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

configure_logging(snakemake.log[0])
write_statistics(
    Path(snakemake.input.shard),
    Path(snakemake.output.features),
    threads=snakemake.threads,
    digest=read_digest(snakemake.input.digest),
)
