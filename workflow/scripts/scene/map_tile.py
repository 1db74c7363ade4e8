"""Map one tile of a scene."""

from pathlib import Path

from landslip.engine.devices import lease_device
from landslip.engine.jobs import begin_job, end_job

begin_job(snakemake)
# Before torch is imported: the lease decides which GPU it sees.
device = lease_device(snakemake.resources.get("gpu", 0), **snakemake.params.leases)

from landslip.scene.jobs import map_one_tile  # noqa: E402 (after the lease)

map_one_tile(
    Path(snakemake.input.plan),
    Path(snakemake.params.bundle),
    snakemake.params.question,
    tile=int(snakemake.wildcards.tile),
    device=device,
    threads=snakemake.threads,
    image=Path(snakemake.output.image),
    cells=Path(snakemake.output.cells),
)
end_job(snakemake)
