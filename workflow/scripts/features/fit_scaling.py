"""Fit the scaling parameters of every channel, on stores or on what was counted in shards."""

from pathlib import Path
from typing import TYPE_CHECKING

from landslip.data.folds import training_rows
from landslip.features.scaling import write_scaling
from landslip.features.scaling_shards import gather_lower
from landslip.jobs import begin_job, end_job

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
target, fold = Path(snakemake.output.scaling), snakemake.params.fold
if snakemake.input.get("ranks"):
    parts = [Path(path) for path in snakemake.input.parts]
    gather_lower(parts, Path(snakemake.input.ranks), target, fit=snakemake.params.fit)
else:
    rows = None if fold is None else training_rows(Path(snakemake.input.folds), fold)
    stores = [(Path(store), rows) for store in snakemake.input.stores]
    write_scaling(target, stores, fit=snakemake.params.fit, threads=snakemake.threads)
end_job(snakemake)
