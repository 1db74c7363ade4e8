"""Judge the patches by their surveys: manifest and audit, or a refusal."""

from pathlib import Path
from typing import TYPE_CHECKING

from landslip.data.manifest import build_manifest
from landslip.data.nodata import NoData
from landslip.data.units import UnitRange
from landslip.files import file_digest, write_text
from landslip.logs import configure_logging

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

configure_logging(snakemake.log[0])
settings = snakemake.params.settings
units = {name: UnitRange(**unit) for name, unit in settings["units"].items()}
build_manifest(
    listing=Path(snakemake.input.listing),
    facts=Path(snakemake.input.facts),
    surveys=[Path(path) for path in snakemake.input.surveys],
    **{**settings, "units": units},
    no_data=NoData(**snakemake.params.no_data),
    manifest=Path(snakemake.output.manifest),
    audit_json=Path(snakemake.output.audit),
    listed=Path(snakemake.log[0]).with_suffix(".txt"),
)
write_text(snakemake.output.digest, file_digest(snakemake.output.manifest))
