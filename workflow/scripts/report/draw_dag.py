"""Draw the graph of rules."""

from pathlib import Path
from typing import TYPE_CHECKING

from landslip.jobs import begin_job, end_job
from landslip.report.graph import draw_graph

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
draw_graph(
    rulegraph=Path(snakemake.input.rulegraph),
    stages=snakemake.params.stages,
    target=Path(snakemake.output.figure),
)
end_job(snakemake)
