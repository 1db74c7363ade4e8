"""Draw the learning curves of every member."""

from pathlib import Path
from typing import TYPE_CHECKING

from landslip.files import paths_by_name
from landslip.jobs import begin_job, end_job
from landslip.report.learning import draw_learning_curves

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
draw_learning_curves(
    history=paths_by_name(snakemake.params.models, snakemake.input.history),
    trees=snakemake.params.trees,
    target=Path(snakemake.output.figure),
)
end_job(snakemake)
