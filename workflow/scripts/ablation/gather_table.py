"""Gather one table of the ablation."""

from pathlib import Path

from landslip.ablation.rows import Row
from landslip.ablation.table import gather_table
from landslip.engine.jobs import begin_job, end_job
from landslip.io.files import paths_by_name

begin_job(snakemake)
gather_table(
    name=snakemake.wildcards.table,
    rows=[Row(**row) for row in snakemake.params.rows["rows"]],
    models=paths_by_name(snakemake.params.models, snakemake.input.oof),
    costs=paths_by_name(snakemake.params.models, snakemake.input.costs),
    folds=Path(snakemake.input.folds),
    ensemble=Path(snakemake.input.ensemble),
    paper=Path(snakemake.input.paper),
    bootstrap=snakemake.params.bootstrap,
    seed=snakemake.params.seed,
    target=Path(snakemake.output.table),
)
end_job(snakemake)
