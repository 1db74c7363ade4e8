"""Predict with one network that sees only some of its inputs."""

from pathlib import Path

from landslip.engine.devices import lease_device
from landslip.engine.jobs import begin_job, end_job

begin_job(snakemake)
# Before torch is imported: the lease decides which GPU it sees.
device = lease_device(snakemake.resources.get("gpu", 0), **snakemake.params.leases)

from landslip.ablation.masking import mask_inputs  # noqa: E402 (after the lease)

mask_inputs(
    model=snakemake.wildcards.model,
    descriptions=[Path(path) for path in snakemake.input.descriptions],
    store=Path(snakemake.input.store),
    scalings=[Path(path) for path in snakemake.params.scalings],
    folds=Path(snakemake.input.folds),
    parts=snakemake.params.parts,
    processor=Path(snakemake.input.processor),
    device=device,
    threads=snakemake.threads,
    target=Path(snakemake.output.predictions),
)
end_job(snakemake)
