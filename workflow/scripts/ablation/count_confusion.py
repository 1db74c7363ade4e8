"""Count the ensemble's right and wrong decisions."""

from pathlib import Path

from landslip.ablation.confusion import write_confusion
from landslip.engine.jobs import begin_job, end_job

begin_job(snakemake)
write_confusion(
    oof=Path(snakemake.input.oof),
    bootstrap=snakemake.params.bootstrap,
    seed=snakemake.params.seed,
    target=Path(snakemake.output.table),
)
end_job(snakemake)
