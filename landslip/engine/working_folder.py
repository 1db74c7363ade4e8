"""The working folder, in which Snakemake keeps its lock: gone with the run that was killed.

Snakemake locks a folder by files in `.snakemake/locks`, which outlive a run that was killed: the
next one is refused until somebody gives `--unlock`. Here every process of a run, its jobs' too,
shares a lock of the kernel's as long as it lives. Whoever gets it alone knows that no run is left.
"""

import fcntl
from pathlib import Path
from typing import IO, Literal

from landslip.io.locks import try_lock

_NAME = "landslip.lock"
# Kept open as long as this process lives.
_held: list[IO[str]] = []


def enter_working_folder(records: Path, *, main: bool) -> Literal["", "killed", "busy"]:
    """Share the folder with other processes, and take away what a killed run left locked.

    Parameters
    ----------
    records
        Snakemake's folder, `.snakemake`.
    main
        Whether this process starts a run. A job only shares: where locks do not reach from machine
        to machine, it would take the run that started it for gone.

    Returns
    -------
    str
        killed: locks of a run that was killed were there. busy: of one that goes on, or whose jobs
        do. Else nothing.

    Notes
    -----
    Where the file system knows no locks of the kernel's, or nothing can be written, Snakemake's
    stay.
    """
    try:
        records.mkdir(exist_ok=True)
        lock = (records / _NAME).open("a", encoding="utf-8")
    except OSError:
        return ""
    _held.append(lock)
    locked = list((records / "locks").glob("*.lock")) if main else []
    alone = try_lock(lock, fcntl.LOCK_EX) if main else False
    for path in locked if alone else []:
        path.unlink(missing_ok=True)
    # Another process holds it alone for no longer than that took.
    try_lock(lock, fcntl.LOCK_SH, patience=5)
    if not locked or alone is None:
        return ""
    return "killed" if alone else "busy"
