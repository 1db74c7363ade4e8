"""Refuse new patches that cannot be answered for, and say how they differ from the training's."""

from pathlib import Path

from landslip.bundle.judge import judge_new
from landslip.engine.jobs import begin_job, end_job

begin_job(snakemake)
judge_new(
    Path(snakemake.params.bundle),
    listing=Path(snakemake.input.listing),
    listing_summary=Path(snakemake.input.listing_summary),
    surveys=[Path(path) for path in snakemake.input.surveys],
    on_drift=snakemake.params.on_drift,
    manifest=Path(snakemake.output.manifest),
    drift=Path(snakemake.output.drift),
    listed=Path(snakemake.log[0]).with_suffix(".txt"),
)
end_job(snakemake)
