"""Say what every group of features and every input brings."""

from pathlib import Path

from landslip.ablation.importance import gather_importance
from landslip.engine.jobs import begin_job, end_job
from landslip.io.files import paths_by_name

begin_job(snakemake)
groupings, parts = snakemake.params.groups["trees"], snakemake.params.groups["networks"]
gather_importance(
    trees=dict(zip(groupings, map(Path, snakemake.input.trees), strict=True)),
    splits=paths_by_name(list(groupings), snakemake.input.splits) if groupings else {},
    groupings=groupings,
    networks=dict(zip(parts, map(Path, snakemake.input.networks), strict=True)),
    parts=parts,
    bootstrap=snakemake.params.bootstrap,
    seed=snakemake.params.seed,
    target=Path(snakemake.output.table),
)
end_job(snakemake)
