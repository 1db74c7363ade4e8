"""What stood in place of an output before its job ran, kept until the job has ended well.

Snakemake deletes the outputs of a job before it starts, and whatever it wrote when it fails. So a
training that is asked for once more and fails would leave no model at all.
"""

import logging
import os
import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from landslip.io.files import InputError, read_json, write_json

_FOLDER = ".previous"

log = logging.getLogger(__name__)


def keep(output: Path, record: Mapping[str, Any]) -> None:
    """Keep a hard link to an output, which takes no room until the output is replaced.

    Parameters
    ----------
    output
        A file. Where the file system knows no links, it is copied.
    record
        Plain JSON values that belong to the file and are given back with it.

    Notes
    -----
    Where that fails, the log says so and the run goes on: it needs none of this.
    """
    forget(output)
    kept = _kept(output)
    try:
        kept.parent.mkdir(exist_ok=True)
        try:
            os.link(output, kept)
        except OSError:
            shutil.copy2(output, kept)
        write_json(_record(output), record)
    except OSError as error:
        log.warning("%s cannot be kept in case its job fails (%s)", output, error)
        forget(output)


def is_kept(output: Path) -> bool:
    """Whether `put_back` has a whole file to put back."""
    return _record(output).is_file() and _kept(output).is_file()


def put_back(output: Path) -> dict[str, Any]:
    """Put a kept file back, in place of what stands there, and return its record.

    The file has the time of change that it had.

    Raises
    ------
    InputError
        The record is damaged; the file stays where it is kept.
    """
    record = read_json(_record(output))
    if not isinstance(record, dict):
        raise InputError(f"{_record(output)} is damaged; take {_kept(output)} back by hand")
    os.replace(_kept(output), output)
    forget(output)
    return record


def forget(output: Path) -> None:
    """Delete what is kept of an output, its record first: without it no part counts."""
    _record(output).unlink(missing_ok=True)
    _kept(output).unlink(missing_ok=True)
    # Where other outputs are kept there, or none are.
    with suppress(OSError):
        _kept(output).parent.rmdir()


def _kept(output: Path) -> Path:
    return output.parent / _FOLDER / output.name


def _record(output: Path) -> Path:
    return output.parent / _FOLDER / f"{output.name}.json"
