"""Who may write into a results folder: one working folder at a time, with settings that fit.

Snakemake keeps its records in the working folder, `.snakemake`. Without them it takes whatever
stands in the results for up to date, so here the results say themselves which settings made them.
"""

import fcntl
import json
import os
import secrets
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from landslip.io.files import InputError, check_writable, read_json, write_json
from landslip.io.locks import try_lock
from landslip.io.settings import differing, flatten

NAME = "settings.json"
_LOCK = ".lock"
# Folders of a training, of new patches, of a scene and of a map's sample.
_STAGES = ("data", "store", "features", "models", "ensemble", "asked", "scene", "map", "design")
_LISTED = 12
# A new entry of these changes nothing of what stands.
_GROWING = ("models", "encoders", "filled")
# Nor does leaving out an entry of these: files that a person filled, for what is made last.
_OPTIONAL = ("filled",)

# The open lock files of this process: the kernel frees them when it ends, however it ends.
_held: list[IO[str]] = []


@dataclass(frozen=True, kw_only=True)
class ResultsFolder:
    """A results folder, and the working folder that a run of it is started in."""

    folder: Path
    records: Path
    """Folder in which Snakemake keeps the records of its jobs; gone, they are gone too."""
    settings: Callable[[], Mapping[str, Any]]
    """All that decides results, as plain JSON values."""

    def check(self) -> None:
        """Refuse results of other settings, where Snakemake would not notice.

        Raises
        ------
        InputError
            The results were made with other settings and this working folder has no records of
            them; the message names what differs. Results that do not say are taken as they are.
        """
        record = self._record()
        if record is None or self._has_records(record):
            return
        current = _flat(self.settings())
        found = [_flat(settings) for settings in record["made_with"]]
        changes = [lines for one in found if (lines := _differences(one, current))]
        if not changes:
            return
        raise InputError(
            f"{self.folder} was made with other settings:\n{_listed(changes[0])}\n"
            f"Its jobs' records are not in {self.records} (they were in {record['folder']}), so "
            "what has to be made anew cannot be told. Name another folder in `results`, go back to "
            f"the settings that made it ({self.folder / NAME}), run where it was made, or make all "
            "of it anew with --forceall"
        )

    def hold(self) -> None:
        """Keep runs from other working folders out until this process ends.

        Raises
        ------
        InputError
            One is at work there; the message names it. Or the folder cannot be written into.

        Notes
        -----
        Where the file system knows no locks, nobody is kept out.
        """
        check_writable(self.folder)
        lock: IO[str] = (self.folder / _LOCK).open("a+", encoding="utf-8")
        this_run = {"folder": str(Path.cwd()), "host": socket.gethostname(), "process": os.getpid()}
        if try_lock(lock, fcntl.LOCK_EX) is not False:
            lock.truncate(0)
            lock.write(json.dumps(this_run))
            lock.flush()
        # Shared, for `claim_files` decides which runs from one working folder go together. While a
        # lock becomes a shared one, another run may slip in.
        shared = try_lock(lock, fcntl.LOCK_SH, patience=5)
        if shared is False or not _same(_holder(lock), this_run):
            other = _holder(lock)
            lock.close()
            raise InputError(
                f"{self.folder} is in use by another run, started in {other.get('folder')} "
                f"(process {other.get('process')} on {other.get('host')}); wait until it has "
                "ended, or name another folder in `results`"
            )
        _held.append(lock)

    def write(self) -> None:
        """Record that what is made from now on is made with these settings."""
        record = self._record()
        made_with = [] if record is None else list(record["made_with"])
        known = record is not None and self._has_records(record)
        token = record["records"] if record is not None and known else secrets.token_hex(8)
        settings = dict(self.settings())
        self._write(token, [one for one in made_with if one != settings] + [settings])
        self.records.mkdir(parents=True, exist_ok=True)
        self._token(token).touch()

    def settle(self) -> None:
        """Record that all results were made with these settings."""
        record = self._record()
        if record is not None:
            self._write(record["records"], [dict(self.settings())])

    def _write(self, token: str, made_with: list[dict[str, Any]]) -> None:
        content = {"folder": str(Path.cwd()), "records": token, "made_with": made_with}
        if self._record() != content:
            write_json(self.folder / NAME, content)

    def _record(self) -> dict[str, Any] | None:
        """What the results say; None where there are none or they do not say."""
        path = self.folder / NAME
        if not path.is_file() or not any((self.folder / name).exists() for name in _STAGES):
            return None
        record = read_json(path)
        whole = isinstance(record, dict) and {"folder", "records", "made_with"} <= record.keys()
        if not whole or not all(isinstance(one, dict) for one in record["made_with"]):
            raise InputError(f"{path} is damaged; delete it if the results are of this config")
        return dict(record)

    def _has_records(self, record: Mapping[str, Any]) -> bool:
        return self._token(str(record["records"])).is_file()

    def _token(self, token: str) -> Path:
        return self.records / f"landslip.{Path(token).name}"


def _flat(settings: Mapping[str, Any]) -> dict[str, str]:
    return {
        name: text
        for key, value in settings.items()
        for name, text in flatten(str(key), value).items()
    }


def _differences(found: Mapping[str, str], own: Mapping[str, str]) -> list[str]:
    """What differs, an item each; nothing where no result does."""
    asked = {_entry(name) for name in own}
    found = {
        name: text
        for name, text in found.items()
        if name.split(".")[0] not in _OPTIONAL or _entry(name) in asked
    }
    known = {_entry(name) for name in found}
    kept = {
        name: text
        for name, text in own.items()
        if name.split(".")[0] not in _GROWING or _entry(name) in known
    }
    return differing(found, kept)


def _listed(lines: list[str]) -> str:
    """The first of them and how many more there are, a line each."""
    more = [f"and {len(lines) - _LISTED} more"] if len(lines) > _LISTED else []
    return "\n".join(f"  {line}" for line in lines[:_LISTED] + more)


def _entry(name: str) -> tuple[str, ...]:
    """models.xgboost.trees -> (models, xgboost)."""
    return tuple(name.split(".")[:2])


def _holder(lock: IO[str]) -> dict[str, Any]:
    """Working folder, machine and process of who holds it; empty where that cannot be read."""
    lock.seek(0)
    try:
        held = json.loads(lock.read())
    except ValueError:
        return {}
    return held if isinstance(held, dict) else {}


def _same(holder: Mapping[str, Any], own: Mapping[str, Any]) -> bool:
    """Whether the holder runs in the same working folder."""
    return all(holder.get(key) == own[key] for key in ("folder", "host"))
