"""Draw the ablation's figures."""

from pathlib import Path

from landslip.ablation.figures import draw_ablation
from landslip.engine.jobs import begin_job, end_job

begin_job(snakemake)
draw_ablation(
    tables=[Path(path) for path in snakemake.input.tables],
    calibration=Path(snakemake.input.calibration),
    targets=[Path(path) for path in snakemake.output],
)
end_job(snakemake)
