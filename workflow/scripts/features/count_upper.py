"""Count a shard's pixels for the scaling parameters: the first pass."""

from pathlib import Path
from typing import TYPE_CHECKING

from landslip.features.scaling_shards import count_upper
from landslip.jobs import begin_job, end_job

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
scope, folds = snakemake.wildcards.scope, snakemake.input.folds
count_upper(
    Path(snakemake.input.shard),
    Path(snakemake.input.first),
    Path(snakemake.output.counts),
    leave_out=Path(folds[0]) if folds else None,
    fold=int(scope.removeprefix("fold")) if folds else None,
    threads=snakemake.threads,
)
end_job(snakemake)
