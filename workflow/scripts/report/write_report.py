"""Write the page."""

from pathlib import Path

from landslip.engine.jobs import begin_job, end_job
from landslip.io.files import paths_by_name
from landslip.report.page import Configured, write_report

begin_job(snakemake)
members = list(snakemake.params.configured["models"])
write_report(
    configured=Configured(**snakemake.params.configured),
    metrics=Path(snakemake.input.metrics),
    threshold=Path(snakemake.input.threshold),
    test=Path(snakemake.input.test[0]) if snakemake.input.test else None,
    manifest=Path(snakemake.input.manifest),
    folds=Path(snakemake.input.folds),
    models=Path(snakemake.input.models),
    mistakes=Path(snakemake.input.mistakes),
    cost=Path(snakemake.input.cost),
    speed=Path(snakemake.input.speed),
    splits=Path(snakemake.input.splits[0]) if snakemake.input.splits else None,
    descriptions=paths_by_name(members, snakemake.input.descriptions),
    costs=paths_by_name(members, snakemake.input.costs),
    figures=[Path(path) for path in snakemake.input.figures],
    captions=[Path(path) for path in snakemake.input.captions],
    target=Path(snakemake.output.page),
)
end_job(snakemake)
