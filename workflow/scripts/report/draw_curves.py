"""Draw F1 against threshold, ROC, and precision against recall."""

from pathlib import Path
from typing import TYPE_CHECKING

from landslip.jobs import begin_job, end_job
from landslip.report.curves import draw_curves

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
draw_curves(
    oof=Path(snakemake.input.oof),
    threshold=Path(snakemake.input.threshold),
    f1_threshold=Path(snakemake.output.f1_threshold),
    roc=Path(snakemake.output.roc),
    precision_recall=Path(snakemake.output.precision_recall),
)
end_job(snakemake)
