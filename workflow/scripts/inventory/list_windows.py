"""Label the windows of all scenes and draw the patches, or refuse the inventory."""

from pathlib import Path

from landslip.engine.jobs import begin_job, end_job
from landslip.inventory.labels import LabelRule
from landslip.inventory.listing import Rules, write_window_listing
from landslip.inventory.negatives import Negatives
from landslip.inventory.scenes import Judged

begin_job(snakemake)
rules = snakemake.params.rules
records, windows = (map(Path, snakemake.input[name]) for name in ("records", "windows"))
files = list(zip(records, windows, strict=True))
train, judged = snakemake.params.train, snakemake.params.judged
write_window_listing(
    scenes={"train": files[:train], **({"test": files[train:]} if files[train:] else {})},
    inventories=[Path(path) for path in snakemake.input.inventories],
    rules=Rules(
        **{
            **rules,
            "label": LabelRule(**rules["label"]),
            "negatives": Negatives(**rules["negatives"]),
        }
    ),
    judged=None
    if judged is None
    else Judged(zones=[Path(path) for path in snakemake.input.verdicts], **judged),
    listing=Path(snakemake.output.listing),
    listing_summary=Path(snakemake.output.listing_summary),
)
end_job(snakemake)
