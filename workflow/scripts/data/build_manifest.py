"""Look at every patch and table: manifest and audit, or a refusal."""

from pathlib import Path
from typing import TYPE_CHECKING

from landslip.data.manifest import build_manifest
from landslip.files import file_digest, write_text
from landslip.logs import configure_logging

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

configure_logging(snakemake.log[0])
settings = snakemake.params.settings
build_manifest(
    train_labels=Path(snakemake.input.labels),
    train_patches=Path(snakemake.params.train),
    test_ids=Path(snakemake.input.ids),
    test_patches=Path(snakemake.params.test),
    test_labels=Path(snakemake.input.test_labels) if snakemake.input.test_labels else None,
    channels=settings["channels"],
    units={
        name: (unit["plausible"], unit["magnitude"]) for name, unit in settings["units"].items()
    },
    on_bad_patch=settings["on_bad_patch"],
    on_nonfinite=settings["on_nonfinite"],
    on_wrong_unit=settings["on_wrong_unit"],
    group=settings["group"],
    workers=snakemake.threads,
    manifest=Path(snakemake.output.manifest),
    audit_json=Path(snakemake.output.audit),
)
write_text(snakemake.output.digest, file_digest(snakemake.output.manifest))
