"""Gather the first pass over all shards: where the second has to look."""

from pathlib import Path
from typing import TYPE_CHECKING

from landslip.features.scaling_shards import gather_upper
from landslip.jobs import begin_job, end_job

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
gather_upper([Path(path) for path in snakemake.input.parts], Path(snakemake.output.ranks))
end_job(snakemake)
