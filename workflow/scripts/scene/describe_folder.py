"""Write a first scene file from what lies in a folder."""

from pathlib import Path

from landslip.engine.jobs import begin_job
from landslip.scene.describe import describe_folder

begin_job(snakemake)
describe_folder(Path(snakemake.params.folder), Path(snakemake.output.scene))
