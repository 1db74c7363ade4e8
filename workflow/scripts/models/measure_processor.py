"""Measure how fast this machine multiplies matrices in float32 and bfloat16."""

import logging
from pathlib import Path

from landslip.engine.jobs import begin_job, end_job
from landslip.models.precision import write_processor

begin_job(snakemake)
found = write_processor(Path(snakemake.output.processor))
logging.info(
    "%s: %.0f GFLOP/s in float32, %.0f in bfloat16", found.name, found.float32, found.bfloat16
)
end_job(snakemake)
