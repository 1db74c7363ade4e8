"""Compare the speed of the networks with the paper's."""

from pathlib import Path

from landslip.ablation.speed import write_speed
from landslip.engine.jobs import begin_job, end_job
from landslip.io.files import paths_by_name

begin_job(snakemake)
write_speed(
    costs=paths_by_name(snakemake.params.models, snakemake.input.costs),
    paper=Path(snakemake.input.paper),
    target=Path(snakemake.output.table),
)
end_job(snakemake)
