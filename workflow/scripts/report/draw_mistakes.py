"""Draw the most certain mistakes as thumbnails."""

from pathlib import Path
from typing import TYPE_CHECKING

from landslip.jobs import begin_job, end_job
from landslip.report.mistakes import draw_mistakes

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
draw_mistakes(
    oof=Path(snakemake.input.oof),
    threshold=Path(snakemake.input.threshold),
    store=Path(snakemake.input.store),
    modalities=snakemake.params.modalities,
    target=Path(snakemake.output.figure),
    table=Path(snakemake.output.table),
)
end_job(snakemake)
