"""Finished trainings, kept until the workflow has ended, for jobs that are asked for them again.

Jobs that share a SLURM job count as done only together. When it is cut short, Snakemake deletes
what the finished ones wrote and runs them again.
"""

import logging
import os
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from landslip.io.files import InputError, atomic_path, file_digest, read_json, write_json
from landslip.models.fingerprint import differences

SUFFIX = ".finished"
_RECORD = "finished.json"

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Finished:
    """What one finished training wrote."""

    folder: Path
    """Where it is kept; its name ends in `SUFFIX`. It takes no room where files can be linked."""
    fingerprint: Mapping[str, str]
    """Name -> value or digest of all that decides the training's result."""
    outputs: Sequence[Path]
    """Of different names, beside `folder`."""

    def keep(self) -> None:
        """Give the outputs second names. Until the last of them has one, nothing is kept.

        Where that fails, the log says so: the training itself stands.
        """
        try:
            self._keep()
        except OSError as error:
            log.warning("%s cannot be kept in case its job is cut short (%s)", self.folder, error)
            forget(self.folder)

    def _keep(self) -> None:
        forget(self.folder)
        self.folder.mkdir()
        for output in self.outputs:
            _link(output, self.folder / output.name)
        record = {
            "fingerprint": dict(self.fingerprint),
            "sha256": {output.name: file_digest(output) for output in self.outputs},
        }
        write_json(self.folder / _RECORD, record)

    def restore(self) -> bool:
        """Put the outputs of just this training back; False where they are not kept, whole.

        What is damaged or of another training is named in the log, with what differs.
        """
        if not (self.folder / _RECORD).exists():
            return False
        try:
            record = read_json(self.folder / _RECORD)
            differing = differences(record["fingerprint"], self.fingerprint)
            digests = {output.name: record["sha256"][output.name] for output in self.outputs}
            whole = all(file_digest(self.folder / name) == digests[name] for name in digests)
        except (InputError, OSError, KeyError, TypeError, AttributeError) as error:
            log.warning("%s is damaged (%s); training starts anew", self.folder, error)
            return False
        if differing or not whole:
            why = f"of another training ({differing})" if differing else "damaged"
            log.warning("%s is %s; training starts anew", self.folder, why)
            return False
        for output in self.outputs:
            with atomic_path(output) as temporary:
                _link(self.folder / output.name, temporary)
                temporary.touch()  # newer than what it was made of
        return True


def forget(folder: Path) -> None:
    """Take away what is kept of one training; its record first, so that no part of it counts."""
    with suppress(OSError):
        (folder / _RECORD).unlink()
    shutil.rmtree(folder, ignore_errors=True)


def forget_all(models: Path) -> None:
    """Take away what is kept of every fold whose outputs all stand.

    Parameters
    ----------
    models
        Folder of models: `{model}/fold{k}/`.
    """
    for folder in models.glob(f"*/fold*/*{SUFFIX}"):
        names = {file.name for file in folder.iterdir()} - {_RECORD}
        kept = {name for name in names if not name.startswith(".")}
        if all((folder.parent / name).exists() for name in kept):
            forget(folder)


def _link(source: Path, target: Path) -> None:
    """A second name for a file, or, where the file system knows none, a copy."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
