"""Train one tree model on one fold, and predict the fold."""

from pathlib import Path

from landslip.engine.devices import lease_device
from landslip.engine.jobs import begin_job, end_job
from landslip.models.settings import read_settings
from landslip.models.trees import TreeOutputs, TreeTraining, train_trees

begin_job(snakemake)
lease_device(snakemake.resources.get("gpu", 0), **snakemake.params.leases)
train_trees(
    TreeTraining(
        model=snakemake.wildcards.model,
        settings=read_settings(snakemake.params.settings),
        fold=int(snakemake.wildcards.fold),
        seed=snakemake.params.seed,
        features=Path(snakemake.input.features),
        folds=Path(snakemake.input.folds),
        threads=snakemake.threads,
        gpu=bool(snakemake.resources.get("gpu", 0)),
    ),
    TreeOutputs(**{name: Path(path) for name, path in snakemake.output.items() if name != "sums"}),
)
end_job(snakemake)
