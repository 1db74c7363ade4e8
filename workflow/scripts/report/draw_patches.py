"""Draw sample patches in all bands and as composites."""

from pathlib import Path
from typing import TYPE_CHECKING

from landslip.jobs import begin_job, end_job
from landslip.report.colours import draw_composites
from landslip.report.patches import draw_patches

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

begin_job(snakemake)
samples = {
    "store": Path(snakemake.input.store),
    "manifest": Path(snakemake.input.manifest),
    "modalities": snakemake.params.modalities,
    "seed": snakemake.params.seed,
}
draw_composites(**samples, target=Path(snakemake.output.composites))
draw_patches(**samples, units=snakemake.params.units, target=Path(snakemake.output.figure))
end_job(snakemake)
