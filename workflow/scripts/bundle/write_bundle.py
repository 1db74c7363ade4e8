"""Put the trained ensemble into one folder and one .zip."""

from pathlib import Path

from landslip.bundle.make import BundleSettings, Sources, write_bundle
from landslip.engine.jobs import begin_job, end_job
from landslip.io.files import paths_by_name

begin_job(snakemake)
params, given = snakemake.params, snakemake.input
again = [Path(path) for path in given.again]
write_bundle(
    BundleSettings(**params.settings),
    Sources(
        models=paths_by_name(params.settings["chosen"], given.descriptions),
        again=dict(zip(params.again, again, strict=True)),
        oof=Path(given.oof),
        threshold=Path(given.threshold),
        folds=Path(given.folds),
        listing=Path(given.listing),
        surveys=[Path(path) for path in given.surveys],
        features=Path(given.features),
        scaling=Path(given.scaling) if given.scaling else None,
        processor=Path(given.processor) if given.processor else None,
    ),
    folder=Path(snakemake.output.index).parent,
    archive=Path(snakemake.output.archive),
)
end_job(snakemake)
