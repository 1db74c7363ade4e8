"""Write the page on a bundle's answers."""

from pathlib import Path

from landslip.engine.jobs import begin_job, end_job
from landslip.report.answers import write_page

begin_job(snakemake)
write_page(
    Path(snakemake.params.bundle),
    predictions=Path(snakemake.input.predictions),
    manifest=Path(snakemake.input.manifest),
    drift=Path(snakemake.input.drift),
    settings=snakemake.params.settings,
    target=Path(snakemake.output.page),
)
end_job(snakemake)
