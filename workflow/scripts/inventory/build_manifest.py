"""Judge the windows by their surveys: manifest and audit, or a refusal."""

from pathlib import Path

from landslip.data.manifest import build_manifest
from landslip.data.nodata import NoData
from landslip.data.units import UnitRange
from landslip.engine.jobs import begin_job, end_job
from landslip.inventory.reader import open_windows

begin_job(snakemake)
settings = snakemake.params.settings
units = {name: UnitRange(**unit) for name, unit in settings["units"].items()}
build_manifest(
    listing=Path(snakemake.input.listing),
    listing_summary=Path(snakemake.input.listing_summary),
    surveys=[Path(path) for path in snakemake.input.surveys],
    **{**settings, "units": units},
    no_data=NoData(**snakemake.params.no_data),
    manifest=Path(snakemake.output.manifest),
    audit_json=Path(snakemake.output.audit),
    listed=Path(snakemake.log[0]).with_suffix(".txt"),
    reader=open_windows(map(Path, snakemake.input.records), list(settings["channels"])),
)
end_job(snakemake)
