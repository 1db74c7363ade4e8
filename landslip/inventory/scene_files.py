"""Whether the files of a scene are still what they were: by their content, not by their times."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from landslip.io.files import file_digest, texts_digest, write_json
from landslip.scene.named import named_files

# Files that a Shapefile is made of beside its own.
_OF_SHAPEFILE = (".dbf", ".shx", ".prj", ".cpg")


@dataclass(frozen=True, kw_only=True)
class FileState:
    """A file as it was when it was read."""

    size: int
    time: int
    """Of its last change, nanoseconds; where it is another the file is read anew."""
    sha256: str


States = Mapping[str, FileState]


def files_state(scene: Path, known: States | None = None) -> dict[str, FileState]:
    """File that a scene names, itself first -> what it is.

    Parameters
    ----------
    scene
        The scene file.
    known
        What was found before: of files of the same size and time nothing is read.

    Raises
    ------
    InputError
        The scene file is not valid.
    """
    states = {}
    for name in named_files(scene):
        found = os.stat(name)
        before = (known or {}).get(name)
        same = before and (before.size, before.time) == (found.st_size, found.st_mtime_ns)
        states[name] = (
            before
            if before and same
            else FileState(size=found.st_size, time=found.st_mtime_ns, sha256=file_digest(name))
        )
    return states


def state_digest(states: States) -> str:
    """One digest of the names and contents of a scene's files."""
    return texts_digest(part for name in sorted(states) for part in (name, states[name].sha256))


def changed_files(before: States, now: States) -> list[str]:
    """Names of files that were added, taken away or have another content."""
    return sorted(
        name
        for name in {*before, *now}
        if name not in before or name not in now or before[name].sha256 != now[name].sha256
    )


def files_of_inventory(path: Path) -> list[Path]:
    """An inventory's file and those that belong to it, as far as they are there."""
    beside = _OF_SHAPEFILE if path.suffix.lower() == ".shp" else ()
    return [path, *filter(Path.is_file, map(path.with_suffix, beside))]


_STATES = TypeAdapter(dict[str, FileState])


def recall_states(path: Path) -> dict[str, FileState]:
    """What `remember_states` wrote; nothing where that is absent or damaged."""
    try:
        return _STATES.validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return {}


def remember_states(path: Path, states: States) -> None:
    """Keep what was found, so that gigabytes are read once and not at every start."""
    write_json(path, {name: asdict(state) for name, state in states.items()})
