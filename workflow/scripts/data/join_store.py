"""Join the shards of a split into one store."""

from pathlib import Path
from typing import TYPE_CHECKING

from landslip.data.store_write import join_shards
from landslip.logs import configure_logging

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

configure_logging(snakemake.log[0])
join_shards(
    [Path(path) for path in snakemake.input.shards],
    target=Path(snakemake.output.store),
    digest=Path(snakemake.output.digest),
)
