"""The answer in the competition's form."""

from pathlib import Path

from landslip.io.files import atomic_path
from landslip.io.large_tables import iterate_parquet


def write_submission(*, test: Path, target: Path) -> None:
    """Write ID,label, one line for every test patch in the order of Test.csv.

    Parameters
    ----------
    test
        ensemble/test.parquet.
    target
        submission.csv; the label is 1, 0, or empty where the patch has no data.

    Raises
    ------
    InputError
        `test` is damaged.
    """
    with atomic_path(target) as temporary, open(temporary, "w", encoding="utf-8") as file:
        file.write("ID,label\n")
        for block in iterate_parquet(test, ["id", "landslide"]):
            answer = block[["id"]].assign(label=block["landslide"].astype("Int8"))
            answer.to_csv(file, header=False, index=False, lineterminator="\n")
