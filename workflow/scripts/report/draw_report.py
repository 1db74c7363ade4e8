"""Draw the figures of the report and write its tables."""

from pathlib import Path

from landslip.engine.jobs import begin_job, end_job
from landslip.io.files import paths_by_name
from landslip.report.figures import FigureInputs, draw_report

begin_job(snakemake)
params = snakemake.params
draw_report(
    FigureInputs(
        oof=Path(snakemake.input.oof),
        threshold=Path(snakemake.input.threshold),
        metrics=Path(snakemake.input.metrics),
        manifest=Path(snakemake.input.manifest),
        store=Path(snakemake.input.store),
        rulegraph=Path(snakemake.input.rulegraph),
        importance=paths_by_name(params.trees, snakemake.input.importance) if params.trees else {},
        history=paths_by_name(params.models, snakemake.input.history),
        costs=paths_by_name(params.models, snakemake.input.costs),
        benchmarks={label: Path(path) for label, path in params.benchmarks.items()},
        paper=Path(snakemake.input.paper),
        simulated=params.simulated,
        modalities=params.modalities,
        units=params.units,
        stages=params.stages,
        seed=params.seed,
        splits=Path(snakemake.input.splits[0]) if snakemake.input.splits else None,
    ),
    [Path(path) for path in snakemake.output],
)
end_job(snakemake)
