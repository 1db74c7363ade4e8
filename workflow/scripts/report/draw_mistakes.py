"""Draw the most certain mistakes as thumbnails."""

from pathlib import Path
from typing import TYPE_CHECKING

from landslip.logs import configure_logging
from landslip.report.mistakes import draw_mistakes

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

configure_logging(snakemake.log[0])
draw_mistakes(
    oof=Path(snakemake.input.oof),
    threshold=Path(snakemake.input.threshold),
    store=Path(snakemake.input.store),
    store_digest=Path(snakemake.input.store_digest),
    modalities=snakemake.params.modalities,
    target=Path(snakemake.output.figure),
    table=Path(snakemake.output.table),
)
