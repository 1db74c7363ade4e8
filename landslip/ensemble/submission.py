"""The answer in the competition's form."""

import logging
from pathlib import Path

from landslip.io.files import atomic_path
from landslip.io.large_tables import iterate_parquet

logger = logging.getLogger(__name__)

UNANSWERED = 0
"""Label of a patch that no member can answer for: nothing shows a landslide, and who counts takes
neither an empty cell nor a missing line. The prediction itself is null in test.parquet."""

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
    unanswered: list[str] = []
    with atomic_path(target) as temporary, open(temporary, "w", encoding="utf-8") as file:
        file.write("ID,label\n")
        for block in iterate_parquet(test, ["id", "landslide"]):
            label = block["landslide"].astype("Int8")
            unanswered += block["id"][label.isna()].tolist()
            answer = block[["id"]].assign(label=label.fillna(UNANSWERED))
            answer.to_csv(file, header=False, index=False, lineterminator="\n")
    if unanswered:
        logger.warning(
            "%d test patches have no prediction (test.parquet); submission.csv calls them %d: %s%s",
            len(unanswered),
            UNANSWERED,
            ", ".join(unanswered[:_NAMED]),
            ", ..." if len(unanswered) > _NAMED else "",
        )
