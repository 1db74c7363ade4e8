"""Draw sample patches in all bands and as composites."""

from pathlib import Path
from typing import TYPE_CHECKING

from landslip.files import verified
from landslip.logs import configure_logging
from landslip.report.colours import draw_composites
from landslip.report.patches import draw_patches

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

configure_logging(snakemake.log[0])
samples = {
    "store": Path(snakemake.input.store),
    "store_digest": Path(snakemake.input.store_digest),
    "manifest": verified(snakemake.input.manifest, snakemake.input.manifest_digest),
    "modalities": snakemake.params.modalities,
    "seed": snakemake.params.seed,
}
draw_composites(**samples, target=Path(snakemake.output.composites))
draw_patches(**samples, units=snakemake.params.units, target=Path(snakemake.output.figure))
