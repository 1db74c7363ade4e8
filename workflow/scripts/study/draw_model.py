"""Draw one model."""

from pathlib import Path
from typing import TYPE_CHECKING

from landslip.jobs import begin_job, end_job
from landslip.study.model_drawing import draw_model

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
draw_model(
    name=snakemake.wildcards.drawn,
    outline=snakemake.params.outline,
    target=Path(snakemake.output.figure),
)
end_job(snakemake)
