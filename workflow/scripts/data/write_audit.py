"""Write the page that shows the audit to a person."""

from pathlib import Path
from typing import TYPE_CHECKING

from landslip.data.audit_page import write_audit
from landslip.logs import configure_logging

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

configure_logging(snakemake.log[0])
write_audit(Path(snakemake.input.audit), Path(snakemake.output.page))
