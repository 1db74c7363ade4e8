"""Draw the most important features of the tree models."""

from pathlib import Path
from typing import TYPE_CHECKING

from landslip.files import paths_by_name
from landslip.jobs import begin_job, end_job
from landslip.report.importances import draw_importance

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
draw_importance(
    importance=paths_by_name(snakemake.params.models, snakemake.input.importance),
    modalities=snakemake.params.modalities,
    target=Path(snakemake.output.figure),
)
end_job(snakemake)
