"""Cross-fit small trees with several splits of patches from scenes."""

from pathlib import Path

from landslip.engine.jobs import begin_job, end_job
from landslip.report.splits import compare_splits

begin_job(snakemake)
compare_splits(
    features=Path(snakemake.input.features),
    folds=Path(snakemake.input.folds),
    manifest=Path(snakemake.input.manifest),
    resamples=snakemake.params.resamples,
    seed=snakemake.params.seed,
    threads=snakemake.threads,
    target=Path(snakemake.output.splits),
)
end_job(snakemake)
