"""Write the page that shows the audit to a person."""

from pathlib import Path

from landslip.data.audit_page import write_audit
from landslip.engine.jobs import begin_job, end_job

begin_job(snakemake)
write_audit(Path(snakemake.input.audit), Path(snakemake.output.page))
end_job(snakemake)
