"""List the patches that a bundle is asked about."""

from pathlib import Path

from landslip.bundle.ensemble import load
from landslip.bundle.listing import write_new_listing
from landslip.engine.jobs import begin_job, end_job

begin_job(snakemake)
write_new_listing(
    Path(snakemake.input.patches),
    size=load(snakemake.params.bundle).size,
    listing=Path(snakemake.output.listing),
    listing_summary=Path(snakemake.output.listing_summary),
    listed=Path(snakemake.log[0]).with_suffix(".txt"),
)
end_job(snakemake)
