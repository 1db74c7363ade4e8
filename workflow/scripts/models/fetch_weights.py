"""Put the pretrained weights of one encoder in place, with their digest."""

from pathlib import Path

from landslip.engine.jobs import begin_job, end_job
from landslip.models.weights import fetch_weights

begin_job(snakemake)
fetch_weights(
    snakemake.wildcards.timm,
    local=Path(snakemake.input.local[0]) if snakemake.input.local else None,
    target=Path(snakemake.output.weights),
    description=Path(snakemake.output.description),
    **snakemake.params.expected,
)
end_job(snakemake)
