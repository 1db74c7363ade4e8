"""Draw the ablation's figures."""

from pathlib import Path
from typing import TYPE_CHECKING

from landslip.ablation.figures import draw_calibration, draw_prevalence, draw_quality
from landslip.engine.jobs import begin_job, end_job

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
draw_quality(
    tables=[Path(path) for path in snakemake.input.tables],
    target=Path(snakemake.output.quality),
)
calibration = Path(snakemake.input.calibration)
draw_calibration(calibration=calibration, target=Path(snakemake.output.calibration))
draw_prevalence(calibration=calibration, target=Path(snakemake.output.prevalence))
end_job(snakemake)
