"""Draw one model."""

from pathlib import Path
from typing import TYPE_CHECKING

from landslip.logs import configure_logging
from landslip.study.model_drawing import draw_model

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

configure_logging(snakemake.log[0])
draw_model(
    name=snakemake.wildcards.drawn,
    outline=snakemake.params.outline,
    target=Path(snakemake.output.figure),
)
