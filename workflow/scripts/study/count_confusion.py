"""Count the ensemble's right and wrong decisions."""

from pathlib import Path
from typing import TYPE_CHECKING

from landslip.logs import configure_logging
from landslip.study.confusion import write_confusion

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

configure_logging(snakemake.log[0])
write_confusion(
    oof=Path(snakemake.input.oof),
    bootstrap=snakemake.params.bootstrap,
    seed=snakemake.params.seed,
    target=Path(snakemake.output.table),
)
