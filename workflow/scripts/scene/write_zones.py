"""Write zones, blind spots and units, and ask what each sensor brought."""

from pathlib import Path

from landslip.engine.devices import lease_device
from landslip.engine.jobs import begin_job, end_job

begin_job(snakemake)
# Before torch is imported: the lease decides which GPU it sees.
device = lease_device(snakemake.resources.get("gpu", 0), **snakemake.params.leases)

from landslip.scene.jobs import write_zones  # noqa: E402 (after the lease)

write_zones(
    Path(snakemake.input.plan),
    [Path(path) for path in snakemake.input.cells],
    [Path(path) for path in snakemake.input.placebo_plan],
    [Path(path) for path in snakemake.input.placebo_cells],
    Path(snakemake.params.bundle),
    snakemake.params.question,
    threshold=snakemake.params.threshold,
    device=device,
    threads=snakemake.threads,
    target=Path(snakemake.output.zones),
    facts=Path(snakemake.output.facts),
)
end_job(snakemake)
