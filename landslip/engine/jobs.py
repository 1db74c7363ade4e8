"""What every job does first and last: its log, and the SHA-256 sums of the files between jobs.

A job that makes files which another reads declares one more output, a text file `*.sha256` as
`sha256sum` writes it, with names relative to its own folder; who reads such files has it among its
inputs. So a file that changed since it was made is refused, whatever its format, and
`sha256sum --check` finds it by hand. What a user brings is named by no such file.
"""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from landslip.io.files import InputError, file_digest
from landslip.io.kept_digests import kept_digest
from landslip.io.logs import configure_logging
from landslip.io.sums import read_sums
from landslip.io.sums import write_sums as write_sums_of

SUFFIX = ".sha256"
# Sums of files that a user brought, as they were when a job first read them. Its rule declares
# them, it writes them by itself, and later jobs that read the files have them among their inputs.
SEEN = ".seen.sha256"
# Gigabytes, of which a job may read little: their images are compared with checksums in the index
# of the store, which a sums file names, and nothing else in them is read (`landslip.data.store`).
READ_BY_PARTS = ".pixels.h5"

_LISTED = 20


def begin_job(job: Any) -> None:
    """Start the log and verify what the job reads.

    Parameters
    ----------
    job
        The `snakemake` of a script: its input, output and log.

    Raises
    ------
    InputError
        As `verify_files` does.
    """
    configure_logging(job.log[0])
    verify_inputs(list(job.input))


def end_job(job: Any) -> None:
    """Write the sums of the job's outputs, if its rule declares a sums file."""
    made = [str(path) for path in job.output]
    for target in made:
        if target.endswith(SUFFIX) and not target.endswith(SEEN):
            write_sums(target, [path for path in made if path != target])


def verify_inputs(paths: Iterable[str | Path]) -> None:
    """Compare all that a job reads with the sums among it; see `verify_files` and `verify_seen`."""
    names = [str(path) for path in paths]
    for name in names:
        if name.endswith(SEEN):
            verify_seen(name)
    verify_files(names)


def verify_seen(sums: str | Path) -> None:
    """Compare what a user brought with what it was when it was first read.

    Raises
    ------
    InputError
        A file has changed or is gone, whatever its time of change, or the sums are damaged; the
        message names both.
    """
    for path, digest in read_sums(sums):
        if not os.path.isfile(path) or kept_digest(path) != digest:
            inside = os.path.relpath(path)
            raise InputError(
                f"{path if inside.startswith('..') else inside} has changed since it was first "
                f"read (its SHA-256 is not the one in {sums}); put it back as it was, or delete "
                f"{sums} and run again"
            )


def verify_files(paths: Iterable[str | Path]) -> dict[str, str]:
    """Compare files with the sums files among them.

    Returns
    -------
    dict
        SHA-256 of every path that a sums file names.

    Raises
    ------
    InputError
        A file has another SHA-256 than its sums file says, or stands below the folder of a sums
        file and is named in none; or a sums file is damaged. The message names both.
    FileNotFoundError
        One is missing.
    """
    names = [str(path) for path in paths]
    sums = {
        name: dict(read_sums(name))
        for name in names
        if name.endswith(SUFFIX) and not name.endswith(SEEN)
    }
    expected = {
        path: (recorded[path], file) for file, recorded in sums.items() for path in recorded
    }
    found: dict[str, str] = {}
    for name in names:
        path = os.path.abspath(name)
        if name.endswith((SUFFIX, READ_BY_PARTS)) or os.path.isdir(name):
            continue
        if path in expected:
            digest, file = expected[path]
            found[name] = file_digest(name)
            if found[name] != digest:
                raise InputError(
                    f"{name} is damaged or of another run (its SHA-256 is not the one in {file}); "
                    "delete both and run again"
                )
        elif beside := _nearest(path, sums):
            # Of several in one folder, what names a file that is not there is not what it was.
            wrong = [file for file in beside if not all(map(os.path.exists, sums[file]))]
            named = " or ".join((wrong or beside)[:_LISTED])
            raise InputError(
                f"{name} is not named in {named}, which is damaged or of another run; delete both "
                "and run again"
            )
    return found


def _nearest(path: str, sums: Iterable[str]) -> list[str]:
    """Sums files that ought to name a path, as they stand in its folder or one above."""
    folders: dict[str, list[str]] = {}
    for file in sums:
        folders.setdefault(os.path.dirname(os.path.abspath(file)), []).append(file)
    folder = os.path.dirname(path)
    while folder not in folders:
        above = os.path.dirname(folder)
        if above == folder:
            return []
        folder = above
    return folders[folder]


def write_sums(target: str | Path, paths: Iterable[str | Path]) -> None:
    """Write the SHA-256 sums of files, atomically.

    Parameters
    ----------
    target
        Text of one line a file: sum and name, relative to the folder of `target`. Folders and
        what is read by parts are left out.
    paths
        The files.
    """
    summed = [path for path in paths if not os.path.isdir(path)]
    write_sums_of(target, [path for path in summed if not str(path).endswith(READ_BY_PARTS)])
