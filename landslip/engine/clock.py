"""Files that seem to come from the future, as they do once a machine's clock was set back.

Snakemake deletes what a job has made where one of its inputs is newer: with results from before the
clock was set back, every job would fail until that time has come again.
"""

import os
import time
from pathlib import Path


def bring_back(folder: Path) -> int:
    """Give files whose time of change lies ahead the present one.

    Parameters
    ----------
    folder
        With all below it; it may be absent.

    Returns
    -------
    int
        How many there were.
    """
    now, count = time.time_ns(), 0
    for path in folder.rglob("*"):
        try:
            ahead = path.lstat().st_mtime_ns > now
            if ahead and not path.is_symlink():
                os.utime(path, ns=(now, now))
                count += 1
        except OSError:
            # It is another's, or gone by now: then Snakemake says what it makes of it.
            continue
    return count
