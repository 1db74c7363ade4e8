"""Draw the ablation's figures."""

from pathlib import Path

from landslip.ablation.figure_list import FIGURES, Analyses
from landslip.engine.jobs import begin_job, end_job
from landslip.report.figures import draw_figures

begin_job(snakemake)
made = Analyses(
    tables=[Path(path) for path in snakemake.input.tables],
    calibration=Path(snakemake.input.calibration),
)
draw_figures(FIGURES, made, [Path(path) for path in snakemake.output])
end_job(snakemake)
