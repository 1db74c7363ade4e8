"""Predict the test patches with the networks of all folds of one model."""

from pathlib import Path

from landslip.engine.devices import lease_device
from landslip.engine.jobs import begin_job, end_job

begin_job(snakemake)
# Before torch is imported: the lease decides which GPU it sees.
device = lease_device(snakemake.resources.get("gpu", 0), **snakemake.params.leases)

from landslip.models.predict_network import Lacking, predict_network  # noqa: E402 (after the lease)

given, params = snakemake.input, snakemake.params
lacking = None
if given.manifest:
    lacking = Lacking(manifest=Path(given.manifest), sensor=params.sensor, indices=params.indices)
predict_network(
    model=snakemake.wildcards.model,
    descriptions=[Path(path) for path in given.descriptions],
    store=Path(given.store),
    processor=Path(given.processor),
    lacking=lacking,
    device=device,
    threads=snakemake.threads,
    targets=[Path(path) for path in snakemake.output.predictions],
)
end_job(snakemake)
