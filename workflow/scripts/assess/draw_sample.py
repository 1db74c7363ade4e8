"""Draw a sample of a finished map's cells."""

from pathlib import Path

from landslip.assess.sample import SampleSettings, draw_sample
from landslip.engine.jobs import begin_job, end_job

begin_job(snakemake)
draw_sample(
    Path(snakemake.params.map),
    SampleSettings(**snakemake.params.settings, seed=snakemake.params.seed),
    sample=Path(snakemake.output.sample),
    drawn=Path(snakemake.output.drawn),
    design=Path(snakemake.output.design),
)
end_job(snakemake)
