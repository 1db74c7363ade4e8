"""Train one network on one fold, and predict the fold."""

from pathlib import Path

from landslip.engine.devices import lease_device
from landslip.engine.jobs import begin_job, end_job

begin_job(snakemake)
# Before torch is imported: the lease decides which GPU it sees.
device = lease_device(snakemake.resources.get("gpu", 0), **snakemake.params.leases)

from landslip.models.network import Architecture  # noqa: E402 (after the lease)
from landslip.models.network_fold import (  # noqa: E402 (after the lease)
    NetworkTraining,
    Outputs,
    train_network,
)
from landslip.models.settings import Network  # noqa: E402 (after the lease)

train_network(
    NetworkTraining(
        model=snakemake.wildcards.model,
        settings=Network(**snakemake.params.settings),
        architecture=Architecture.from_json(snakemake.params.architecture),
        sensors=snakemake.params.sensors,
        fold=int(snakemake.wildcards.fold),
        seed=snakemake.params.seed,
        code=snakemake.params.code,
        device=device,
        threads=snakemake.threads,
        memory_mb=snakemake.resources.mem_mb,
        train_store=Path(snakemake.input.train_store),
        scaling=Path(snakemake.input.scaling),
        folds=Path(snakemake.input.folds),
        pretrained={Path(path).stem: Path(path) for path in snakemake.input.pretrained},
        processor=Path(snakemake.input.processor),
        resume=Path(snakemake.params.resume),
        save_minutes=snakemake.params.save_minutes,
    ),
    Outputs(**{name: Path(path) for name, path in snakemake.output.items() if name != "sums"}),
)
end_job(snakemake)
