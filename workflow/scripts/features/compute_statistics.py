"""Compute the statistics of every channel of every patch."""

from pathlib import Path
from typing import TYPE_CHECKING

from landslip.features.statistics import write_statistics
from landslip.files import file_digest, read_digest, write_text
from landslip.logs import configure_logging

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

configure_logging(snakemake.log[0])
write_statistics(
    Path(snakemake.input.store),
    Path(snakemake.output.features),
    threads=snakemake.threads,
    digest=read_digest(snakemake.input.store_digest),
)
write_text(snakemake.output.digest, file_digest(snakemake.output.features))
