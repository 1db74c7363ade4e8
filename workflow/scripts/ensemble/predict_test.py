"""Combine the test predictions of the folds and members; write the submission."""

from pathlib import Path

from landslip.engine.jobs import begin_job, end_job
from landslip.ensemble.predict import predict_test
from landslip.ensemble.submission import write_submission
from landslip.io.files import paths_by_name

begin_job(snakemake)
predict_test(
    members=paths_by_name(snakemake.params.members, snakemake.input.test),
    manifest=Path(snakemake.input.manifest),
    threshold=Path(snakemake.input.threshold),
    target=Path(snakemake.output.test),
)
write_submission(test=Path(snakemake.output.test), target=Path(snakemake.output.submission))
end_job(snakemake)
