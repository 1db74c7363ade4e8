"""Answer for one shard of new patches."""

from pathlib import Path

from landslip.engine.devices import lease_device
from landslip.engine.jobs import begin_job, end_job

begin_job(snakemake)
# Before torch is imported: the lease decides which GPU it sees.
device = lease_device(snakemake.resources.get("gpu", 0), **snakemake.params.leases)

from landslip.bundle.files import answer_shard  # noqa: E402 (after the lease)

answer_shard(
    Path(snakemake.params.bundle),
    Path(snakemake.input.manifest),
    shard=int(snakemake.wildcards.shard),
    shards=snakemake.params.shards,
    settings=snakemake.params.settings,
    device=device,
    threads=snakemake.threads,
    target=Path(snakemake.output.answers),
)
end_job(snakemake)
