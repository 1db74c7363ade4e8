"""Ask one network once more about held-out patches, with fewer sensors or rounded weights."""

from pathlib import Path

from landslip.engine.devices import lease_device
from landslip.engine.jobs import begin_job, end_job

begin_job(snakemake)
# Before torch is imported: the lease decides which GPU it sees.
device = lease_device(snakemake.resources.get("gpu", 0), **snakemake.params.leases)

from landslip.bundle.held_out import predict_held_out  # noqa: E402 (after the lease)

predict_held_out(
    model=snakemake.wildcards.model,
    descriptions=[Path(path) for path in snakemake.input.descriptions],
    store=Path(snakemake.input.store),
    folds=Path(snakemake.input.folds),
    sensor=snakemake.params.sensor,
    indices=snakemake.params.indices,
    fewer=snakemake.params.fewer,
    rounded=snakemake.params.rounded,
    processor=Path(snakemake.input.processor),
    device=device,
    threads=snakemake.threads,
    target=Path(snakemake.output.predictions),
)
end_job(snakemake)
