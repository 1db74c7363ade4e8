"""Join the tiles of a map into one Cloud-Optimized GeoTIFF."""

from pathlib import Path

from landslip.engine.jobs import begin_job, end_job
from landslip.scene.jobs import join_tiles

begin_job(snakemake)
join_tiles(
    Path(snakemake.input.plan),
    Path(snakemake.params.bundle),
    [Path(path) for path in snakemake.input.images],
    Path(snakemake.output.probability),
)
end_job(snakemake)
