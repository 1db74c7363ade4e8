"""Which files the runs of one working folder make: no two of them the same at one time.

Snakemake keeps lists of them in `.snakemake/locks`. Two runs that start together look for lists
before either has written its own, and a run that ends or is refused deletes those of all others.
"""

import fcntl
import json
import os
import secrets
from collections.abc import Iterable
from pathlib import Path
from typing import IO

from landslip.io.files import InputError
from landslip.io.locks import exclusive, try_lock

_NAME = "landslip.runs"

# The open lists of this process: the kernel frees their locks when it ends, however it ends.
_held: list[IO[str]] = []


def claim_files(records: Path, files: Iterable[str]) -> None:
    """Keep other runs from making these files until this process ends.

    Parameters
    ----------
    records
        Snakemake's folder, `.snakemake`.
    files
        Those that the run makes, as its jobs name them.

    Raises
    ------
    InputError
        A run that goes on makes one of them; the message names it and the process.

    Notes
    -----
    Where the file system knows no locks, nobody is kept out.
    """
    own = list(files)
    folder = records / _NAME
    folder.mkdir(parents=True, exist_ok=True)
    with exclusive(folder):
        for path in folder.glob("*.json"):
            _refuse_same(path, own)
        lists = (folder / f"{os.getpid()}.{secrets.token_hex(4)}.json").open("w", encoding="utf-8")
        try_lock(lists, fcntl.LOCK_EX)
        json.dump(own, lists)
        lists.flush()
        _held.append(lists)


def _refuse_same(path: Path, own: Iterable[str]) -> None:
    """Refuse files that the list of another run holds; the list of one that has ended goes."""
    with path.open("r+", encoding="utf-8") as lists:
        if try_lock(lists, fcntl.LOCK_EX) is not False:
            path.unlink()
            return
        theirs = set(json.load(lists))
    same = [name for name in own if name in theirs]
    if same:
        more = f" and {len(same) - 1} more" if len(same) > 1 else ""
        raise InputError(
            f"another run in this folder (process {path.name.split('.')[0]}) is making {same[0]}"
            f"{more}; wait until it has ended, then run again: what it made is not made twice"
        )
