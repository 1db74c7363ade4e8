"""Tabulate what training and prediction took of each model."""

from pathlib import Path
from typing import TYPE_CHECKING

from landslip.files import paths_by_name
from landslip.jobs import begin_job, end_job
from landslip.report.speed import tabulate_speed

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
tabulate_speed(
    costs=paths_by_name(snakemake.params.models, snakemake.input.costs),
    target=Path(snakemake.output.table),
)
end_job(snakemake)
