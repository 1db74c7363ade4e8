"""The answer in the competition's form."""

import logging
from pathlib import Path

import pandas as pd

from landslip.io.files import read_parquet, write_text

logger = logging.getLogger(__name__)

UNANSWERED = 0
"""Label of a patch that no member can answer for: nothing shows a landslide, and scoring accepts
neither empty cells nor missing rows. The prediction itself is null in test.parquet."""

_NAMED = 5


def write_submission(*, test: Path, target: Path) -> None:
    """Write ID,label, one line for every test patch in the order of Test.csv.

    Parameters
    ----------
    test
        ensemble/test.parquet.
    target
        submission.csv; the label is 1 or 0, and `UNANSWERED` where there is no prediction. A
        warning names such patches.

    Raises
    ------
    InputError
        `test` is damaged.
    """
    answers = read_parquet(test, ["id", "landslide"])
    label = answers["landslide"].astype("Int8")
    unanswered = answers["id"][label.isna()].tolist()
    submitted = pd.DataFrame({"ID": answers["id"], "label": label.fillna(UNANSWERED)})
    write_text(target, submitted.to_csv(index=False, lineterminator="\n"))
    if unanswered:
        logger.warning(
            "%d test patches have no prediction (test.parquet); submission.csv calls them %d: %s%s",
            len(unanswered),
            UNANSWERED,
            ", ".join(unanswered[:_NAMED]),
            ", ..." if len(unanswered) > _NAMED else "",
        )
