"""Draw sample patches in all bands."""

from pathlib import Path
from typing import TYPE_CHECKING

from landslip.files import verified
from landslip.logs import configure_logging
from landslip.report.patches import draw_patches

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

configure_logging(snakemake.log[0])
draw_patches(
    store=Path(snakemake.input.store),
    store_digest=Path(snakemake.input.store_digest),
    manifest=verified(snakemake.input.manifest, snakemake.input.manifest_digest),
    modalities=snakemake.params.modalities,
    units=snakemake.params.units,
    seed=snakemake.params.seed,
    target=Path(snakemake.output.figure),
)
