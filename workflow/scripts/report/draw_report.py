"""Draw the figures of the report and write its tables."""

from pathlib import Path

from landslip.engine.jobs import begin_job, end_job
from landslip.io.files import paths_by_name
from landslip.report.figures import Run, draw_report

begin_job(snakemake)
told = snakemake.params
draw_report(
    Run(
        oof=Path(snakemake.input.oof),
        threshold=Path(snakemake.input.threshold),
        metrics=Path(snakemake.input.metrics),
        manifest=Path(snakemake.input.manifest),
        store=Path(snakemake.input.store),
        rulegraph=Path(snakemake.input.rulegraph),
        importance=paths_by_name(told.trees, snakemake.input.importance) if told.trees else {},
        history=paths_by_name(told.models, snakemake.input.history),
        costs=paths_by_name(told.models, snakemake.input.costs),
        benchmarks={label: Path(path) for label, path in told.benchmarks.items()},
        paper=Path(snakemake.input.paper),
        simulated=told.simulated,
        modalities=told.modalities,
        units=told.units,
        stages=told.stages,
        seed=told.seed,
    ),
    [Path(path) for path in snakemake.output],
)
end_job(snakemake)
