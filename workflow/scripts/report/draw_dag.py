"""Draw the graph of rules."""

from pathlib import Path
from typing import TYPE_CHECKING

from landslip.logs import configure_logging
from landslip.report.graph import draw_graph

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

configure_logging(snakemake.log[0])
draw_graph(
    dot=Path(snakemake.input.dot),
    stages=snakemake.params.stages,
    target=Path(snakemake.output.figure),
)
