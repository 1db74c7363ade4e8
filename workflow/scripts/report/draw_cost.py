"""Draw and tabulate the time and memory of every job."""

from pathlib import Path
from typing import TYPE_CHECKING

from landslip.jobs import begin_job, end_job
from landslip.report.cost import draw_cost

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
draw_cost(
    benchmarks={label: Path(path) for label, path in snakemake.params.benchmarks.items()},
    target=Path(snakemake.output.figure),
    table=Path(snakemake.output.table),
)
end_job(snakemake)
