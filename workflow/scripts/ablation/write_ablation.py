"""Write the ablation's page."""

from pathlib import Path

from landslip.ablation.page import TableText, write_page
from landslip.engine.jobs import begin_job, end_job
from landslip.io.files import paths_by_name
from landslip.report.trained_settings import ConfigSettings

begin_job(snakemake)
configured = ConfigSettings(**snakemake.params.configured)
write_page(
    texts=[TableText(**text) for text in snakemake.params.texts["tables"]],
    names=snakemake.params.texts["names"],
    tables=[Path(path) for path in snakemake.input.tables],
    confusion=Path(snakemake.input.confusion),
    speed=Path(snakemake.input.speed[0]) if snakemake.input.speed else None,
    members=Path(snakemake.input.members),
    calibration=Path(snakemake.input.calibration),
    importance=Path(snakemake.input.importance),
    figures=[Path(path) for path in snakemake.input.figures],
    report_figures=[Path(path) for path in snakemake.input.report_figures],
    models=snakemake.params.texts["models"],
    captions=[Path(path) for path in snakemake.input.captions],
    configured=configured,
    descriptions=paths_by_name(list(configured.models), snakemake.input.descriptions),
    folds=Path(snakemake.input.folds),
    simulated=snakemake.params.simulated,
    target=Path(snakemake.output.page),
)
end_job(snakemake)
