"""Predict a shard of the test patches with the networks of all folds of one model."""

from pathlib import Path
from typing import TYPE_CHECKING

from landslip.devices import lease_device
from landslip.files import read_digest
from landslip.logs import configure_logging

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

configure_logging(snakemake.log[0])
# Before torch is imported: the lease decides which GPU it sees.
device = lease_device(snakemake.resources.get("gpu", 0), **snakemake.params.leases)

from landslip.models.predict_network import predict_network  # noqa: E402 (after the lease)

predict_network(
    model=snakemake.wildcards.model,
    descriptions=[Path(path) for path in snakemake.input.descriptions],
    store=(Path(snakemake.input.store), read_digest(snakemake.input.store_digest)),
    processor=Path(snakemake.input.processor),
    **snakemake.params.part,
    device=device,
    threads=snakemake.threads,
    targets=[Path(path) for path in snakemake.output.predictions],
)
