"""Join the test predictions of one model from its shards."""

from pathlib import Path
from typing import TYPE_CHECKING

from landslip.files import paths_by_name, verified
from landslip.logs import configure_logging
from landslip.models.gather_predictions import gather_predictions

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

configure_logging(snakemake.log[0])
gather_predictions(
    model=snakemake.wildcards.model,
    shards=list(paths_by_name(snakemake.output, snakemake.input.shards).values()),
    manifest=verified(snakemake.input.manifest, snakemake.input.manifest_digest),
    targets=[Path(path) for path in snakemake.output],
)
