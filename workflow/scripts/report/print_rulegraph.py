"""Print the graph of rules, by the same Snakemake with the same config."""

import subprocess
import sys

from landslip.engine.jobs import begin_job, end_job
from landslip.io.files import write_json, write_text
from landslip.report.graph import read_rulegraph

begin_job(snakemake)
write_text(snakemake.output.config, snakemake.params.config)
command = [sys.executable, "-m", "snakemake", "--snakefile", snakemake.params.snakefile]
command += ["--configfile", snakemake.output.config, "--rulegraph", "dot", "--", "all"]
printed = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
if printed.returncode:
    sys.exit("error: Snakemake could not print its graph of rules; what it says stands above")
write_json(snakemake.output.rulegraph, read_rulegraph(printed.stdout))
end_job(snakemake)
