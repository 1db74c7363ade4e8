"""Draw the study's figures."""

from pathlib import Path
from typing import TYPE_CHECKING

from landslip.logs import configure_logging
from landslip.study.figures import draw_calibration, draw_prevalence, draw_quality

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

configure_logging(snakemake.log[0])
draw_quality(
    tables=[Path(path) for path in snakemake.input.tables],
    target=Path(snakemake.output.quality),
)
calibration = Path(snakemake.input.calibration)
draw_calibration(calibration=calibration, target=Path(snakemake.output.calibration))
draw_prevalence(calibration=calibration, target=Path(snakemake.output.prevalence))
