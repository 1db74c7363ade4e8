"""Files that a study from scenes depends on, and whether they are still what they were."""

from collections.abc import Mapping
from pathlib import Path

from landslip.io.kept_digests import kept_digest
from landslip.scene.named import named_files

# Files that a Shapefile is made of beside its own.
_OF_SHAPEFILE = (".dbf", ".shx", ".prj", ".cpg")

Digests = Mapping[str, str]


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


def files_of_inventory(path: Path) -> list[Path]:
    """An inventory's file and those that belong to it, as far as they are there."""
    beside = _OF_SHAPEFILE if path.suffix.lower() == ".shp" else ()
    return [path, *filter(Path.is_file, map(path.with_suffix, beside))]
