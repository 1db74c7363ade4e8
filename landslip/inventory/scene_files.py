"""Files that a training from scenes depends on, and whether they have changed."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from typing_extensions import TypedDict

from landslip.data.problems import shortened
from landslip.io.files import InputError
from landslip.io.kept_digests import kept_digest
from landslip.io.records import read_record
from landslip.scene.named import named_files, parts_beside

Digests = Mapping[str, str]


class _Looked(TypedDict):
    """What is read of a scene's record, see `landslip.inventory.windows.SceneRecord`."""

    path: str
    files: dict[str, str]


def scene_digests(scene: Path) -> dict[str, str]:
    """File that a scene names, itself first -> SHA-256.

    Raises
    ------
    InputError
        The scene file is not valid.
    """
    return {name: kept_digest(name) for name in named_files(scene)}


def changed_files(before: Digests, now: Digests) -> list[str]:
    """Names of files that were added, taken away or have another content."""
    return sorted(name for name in {*before, *now} if before.get(name) != now.get(name))


def scene_changes(records: Iterable[Path]) -> list[str]:
    """Which scenes have other files than when they were looked at.

    Parameters
    ----------
    records
        As `landslip.inventory.windows.look_at_scene` writes them. One that is not there, or is
        damaged, says nothing: who reads it refuses it.

    Returns
    -------
    list of str
        A sentence for each of them, with its files.
    """
    notes = []
    for record in filter(Path.is_file, records):
        try:
            looked: _Looked = read_record(record, _Looked)
            now = scene_digests(Path(looked["path"]))
        except (InputError, OSError):
            continue
        if other := changed_files(looked["files"], now):
            names = shortened([Path(name).name for name in other])
            notes.append(f"{looked['path']} is looked at anew, for it has changed ({names})")
    return notes


def files_of_inventory(path: Path) -> list[Path]:
    """An inventory's file and those that belong to it, as far as they are there."""
    return [path, *parts_beside(path)]
