"""The answer in the competition's form."""

from pathlib import Path

import pandas as pd

from landslip.ensemble.tables import TEST_COLUMNS
from landslip.files import read_parquet, write_text


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
    frame = read_parquet(test, TEST_COLUMNS)
    answer = pd.DataFrame({"ID": frame["id"], "label": frame["landslide"].astype("Int8")})
    write_text(target, answer.to_csv(index=False, lineterminator="\n"))
