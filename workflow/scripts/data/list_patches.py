"""Find the file of every patch that the tables name, or refuse the tables."""

from pathlib import Path

from landslip.data.inputs import write_listing
from landslip.engine.jobs import begin_job, end_job

begin_job(snakemake)
write_listing(
    train_labels=Path(snakemake.input.labels),
    train_patches=Path(snakemake.params.train),
    test_ids=Path(snakemake.input.ids),
    test_patches=Path(snakemake.params.test),
    test_labels=Path(snakemake.input.test_labels) if snakemake.input.test_labels else None,
    channels=snakemake.params.channels,
    group=snakemake.params.group,
    links_into=Path(snakemake.params.links_into) if snakemake.params.links_into else None,
    listing=Path(snakemake.output.listing),
    listing_summary=Path(snakemake.output.listing_summary),
    listed=Path(snakemake.log[0]).with_suffix(".txt"),
)
end_job(snakemake)
