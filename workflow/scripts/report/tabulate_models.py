"""Tabulate the models, beside the paper's where the data is the paper's."""

from pathlib import Path
from typing import TYPE_CHECKING

from landslip.files import verified
from landslip.logs import configure_logging
from landslip.report.models_table import is_papers_data, tabulate_models

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

configure_logging(snakemake.log[0])
manifest = verified(snakemake.input.manifest, snakemake.input.manifest_digest)
compared = not snakemake.params.simulated and is_papers_data(manifest)
tabulate_models(
    metrics=Path(snakemake.input.metrics),
    paper=Path(snakemake.input.paper) if compared else None,
    target=Path(snakemake.output.table),
)
