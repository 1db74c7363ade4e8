"""Say what each member brings to the ensemble."""

from pathlib import Path
from typing import TYPE_CHECKING

from landslip.logs import configure_logging
from landslip.study.members import write_members

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

configure_logging(snakemake.log[0])
write_members(
    oof=Path(snakemake.input.oof),
    bootstrap=snakemake.params.bootstrap,
    seed=snakemake.params.seed,
    target=Path(snakemake.output.members),
)
