"""Draw the confusion matrix and the reliability diagram."""

from pathlib import Path
from typing import TYPE_CHECKING

from landslip.jobs import begin_job, end_job
from landslip.report.decisions import draw_decisions

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
draw_decisions(
    oof=Path(snakemake.input.oof),
    threshold=Path(snakemake.input.threshold),
    confusion=Path(snakemake.output.confusion),
    reliability=Path(snakemake.output.reliability),
)
end_job(snakemake)
