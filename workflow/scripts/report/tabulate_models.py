"""Tabulate the models, beside the paper's where the data is the paper's."""

from pathlib import Path
from typing import TYPE_CHECKING

from landslip.jobs import begin_job, end_job
from landslip.report.models_table import is_papers_data, tabulate_models

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
manifest = Path(snakemake.input.manifest)
compared = not snakemake.params.simulated and is_papers_data(manifest)
tabulate_models(
    metrics=Path(snakemake.input.metrics),
    paper=Path(snakemake.input.paper) if compared else None,
    target=Path(snakemake.output.table),
)
end_job(snakemake)
