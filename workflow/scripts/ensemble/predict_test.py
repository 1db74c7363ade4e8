"""Combine the test predictions of the folds and members; write the submission."""

from pathlib import Path

from landslip.engine.jobs import begin_job, end_job
from landslip.ensemble.combine import Way
from landslip.ensemble.fewer_sensors import FewerSensors
from landslip.ensemble.predict import predict_test
from landslip.ensemble.submission import write_submission
from landslip.io.files import paths_by_name

begin_job(snakemake)
params, given = snakemake.params, snakemake.input
fewer = FewerSensors(
    descriptions=dict(zip(params.members, map(Path, given.descriptions), strict=True)),
    again=dict(zip(params.flexible, map(Path, given.again), strict=True)),
    oof=Path(given.oof),
    threshold=Path(given.threshold),
    sensor=params.sensor,
    indices=params.indices,
    way=Way(**params.way),
)
predict_test(
    members=paths_by_name(params.members, given.test),
    manifest=Path(given.manifest),
    threshold=Path(given.threshold),
    fewer=fewer,
    target=Path(snakemake.output.test),
)
write_submission(test=Path(snakemake.output.test), target=Path(snakemake.output.submission))
end_job(snakemake)
