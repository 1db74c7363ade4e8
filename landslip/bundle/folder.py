"""A bundle's folder and .zip: sealed with SHA-256 sums, verified before anything is parsed."""

import os
import stat
import unicodedata
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from landslip.data.foreign import ZIP, foreign_file
from landslip.io import archives
from landslip.io.files import InputError, file_digest, readable_damage
from landslip.io.ordinary_files import open_ordinary
from landslip.io.room import named_if_full
from landslip.io.sums import read_sums, write_sums

SUMS = "files.sha256"
"""Names every file of the bundle but itself, as `sha256sum --check` reads it."""
INDEX = "bundle.json"

# More than any bundle has: a hundred members of a hundred folds.
_MOST_FILES = 25_000
_MOST_SUMS = 8 << 20  # bytes
_MOST_INDEX = 256 << 20
_MOST_BYTES = 256 << 30
# Of a stored file to its packed size: weights do not shrink, and tables shrink tenfold at most.
_MOST_RATIO = 200
# Whole bundles of no more than this may shrink as they like.
_SMALL = 64 << 20
_ENCRYPTED = 1  # a flag of an entry
_LONGEST = 255  # bytes of a name, on every common file system
_BLOCK = 1 << 20
_AGAIN = "get the bundle again, or make it anew with `snakemake bundle`"


def seal(folder: Path) -> None:
    """Write the sums of all that stands in a folder."""
    write_sums(folder / SUMS, [folder / name for name in sorted(_files(folder)) if name != SUMS])


def verify(folder: Path) -> None:
    """Compare a folder with its sums; nothing in it is parsed but these.

    Raises
    ------
    InputError
        The folder is none of a bundle; it holds a link, a file that the sums do not name or one
        more than it may; a file is missing, cut short, changed or too large; a path leads out.
    """
    if not folder.is_dir():
        raise InputError(f"there is no bundle at {folder}; make one with `snakemake bundle`")
    sums = folder / SUMS
    found = _files(folder)
    if SUMS not in found:
        raise InputError(f"{folder} is no bundle: it lacks {SUMS}; {_AGAIN}")
    if found[SUMS] > _MOST_SUMS or sum(found.values()) > _MOST_BYTES:
        raise InputError(f"{folder} is larger than a bundle can be; {_AGAIN}")
    if found.get(INDEX, 0) > _MOST_INDEX:
        raise InputError(f"{folder / INDEX} is larger than it can be; {_AGAIN}")
    expected = _expected(folder, sums)
    for name in sorted(expected.keys() | found.keys() - {SUMS}):
        if name not in expected:
            raise InputError(f"{folder / name} is not of this bundle ({SUMS}); take it out")
        if name not in found:
            raise InputError(f"{folder / name} is missing; {_AGAIN}")
    if INDEX not in expected:
        raise InputError(f"{folder} is no bundle: it lacks {INDEX}; {_AGAIN}")
    for name, digest in expected.items():
        if file_digest(folder / name) != digest:
            raise InputError(
                f"{folder / name} is changed or cut short (its SHA-256 is not the one in {SUMS}); "
                f"{_AGAIN}"
            )


def digest_of(folder: Path) -> str:
    """What tells a verified bundle from every other: SHA-256 of its sums."""
    return file_digest(folder / SUMS)


def pack(folder: Path, target: Path) -> None:
    """Put a bundle's folder into a .zip; the same content gives the same bytes."""
    archives.pack({name: folder / name for name in sorted(_files(folder))}, target)


def unpack(archive: Path, folder: Path) -> None:
    """Take a bundle's files out of a .zip into an empty folder.

    Raises
    ------
    InputError
        It is no .zip, or an entry leads out of the folder, is a link, comes twice, or is larger
        than it says or than a bundle can be. Nothing is written outside `folder`.
    """
    with open_ordinary(archive) as opened, readable_damage(archive, _AGAIN):
        if not zipfile.is_zipfile(opened) and (foreign := foreign_file(archive, ZIP)):
            raise InputError(f"{archive} is no .zip but {foreign}")
        with zipfile.ZipFile(opened) as packed:
            entries = [entry for entry in packed.infolist() if not entry.is_dir()]
            _check_entries(archive, entries, os.fstat(opened.fileno()).st_size)
            for entry in entries:
                _unpack_one(packed, entry, archive, folder / entry.filename)


def _unpack_one(
    packed: zipfile.ZipFile, entry: zipfile.ZipInfo, archive: Path, target: Path
) -> None:
    with named_if_full(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        with packed.open(entry) as source, target.open("xb") as file:
            left = entry.file_size
            while block := source.read(min(_BLOCK, left + 1)):
                left -= len(block)
                if left < 0:
                    raise InputError(f"{archive}: {entry.filename} is longer than it says")
                file.write(block)


@contextmanager
def named_by(archive: Path, folder: Path) -> Iterator[None]:
    """Name what lies in `folder` by the .zip that it was taken out of, in every refusal."""
    try:
        yield
    except InputError as error:
        raise InputError(str(error).replace(str(folder), str(archive))) from error


def _check_entries(archive: Path, entries: list[zipfile.ZipInfo], size: int) -> None:
    """Refuse what no packed bundle is, before anything is unpacked; `size` is the .zip's."""
    names = [entry.filename for entry in entries]
    for entry in entries:
        _refuse_path(archive, entry.filename)
        kind = stat.S_IFMT(entry.external_attr >> 16)
        if kind not in (0, stat.S_IFREG):
            raise InputError(f"{archive}: {entry.filename} is no ordinary file; {_AGAIN}")
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise InputError(
                f"{archive}: {entry.filename} is packed in another way than by deflate; {_AGAIN}"
            )
        if entry.file_size > max(_BLOCK, _MOST_RATIO * entry.compress_size):
            raise InputError(
                f"{archive}: {entry.filename} would grow from {entry.compress_size} to "
                f"{entry.file_size} bytes; {_AGAIN}"
            )
        if entry.flag_bits & _ENCRYPTED:
            raise InputError(f"{archive}: {entry.filename} asks for a password; {_AGAIN}")
    _refuse_alike(archive, names)
    grown = sum(entry.file_size for entry in entries)
    if len(names) > _MOST_FILES or grown > min(_MOST_BYTES, max(_SMALL, _MOST_RATIO * size)):
        raise InputError(f"{archive} is larger than a bundle can be; {_AGAIN}")


def _refuse_alike(archive: Path, names: list[str]) -> None:
    """Refuse names of which one would take another's place, here or on other file systems."""
    seen: dict[str, str] = {}
    for name in names:
        one = unicodedata.normalize("NFC", name).casefold()
        if one in seen:
            raise InputError(f"{archive}: a file comes twice ({seen[one]}, {name}); {_AGAIN}")
        seen[one] = name
    for one, name in seen.items():
        if any(str(above) in seen for above in PurePosixPath(one).parents):
            raise InputError(f"{archive}: {name} lies in what is a file; {_AGAIN}")


def _refuse_path(where: Path, name: str) -> None:
    """Refuse a name that is no plain relative path."""
    parts = PurePosixPath(name).parts
    plain = name and not name.startswith("/") and "\\" not in name and "\0" not in name
    if not plain or ".." in parts or "/".join(parts) != name or ":" in parts[0]:
        raise InputError(f"{where}: {name!r:.120} leads out of the bundle; {_AGAIN}")
    if max(len(os.fsencode(part)) for part in parts) > _LONGEST:
        raise InputError(f"{where}: {name!r:.120} is no name that a bundle's file has; {_AGAIN}")


def _expected(folder: Path, sums: Path) -> dict[str, str]:
    """Path below the folder -> SHA-256, as the sums say."""
    expected: dict[str, str] = {}
    here = os.path.abspath(folder)
    for path, digest in read_sums(sums):
        name = os.path.relpath(path, here)
        _refuse_path(sums, name)
        expected[name] = digest
    return expected


def _files(folder: Path) -> dict[str, int]:
    """Path below the folder -> bytes, of every file; anything else is refused."""
    return dict(_walk(folder, folder))


def _walk(folder: Path, top: Path) -> Iterator[tuple[str, int]]:
    count = 0
    waiting = [folder]
    while waiting:
        with os.scandir(waiting.pop()) as entries:
            for entry in entries:
                count += 1
                if count > _MOST_FILES:
                    raise InputError(f"{top} holds more files than a bundle can; {_AGAIN}")
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(Path(entry.path))
                elif entry.is_file(follow_symlinks=False):
                    size = entry.stat(follow_symlinks=False).st_size
                    yield Path(entry.path).relative_to(top).as_posix(), size
                else:
                    raise InputError(
                        f"{entry.path} is a link or no ordinary file; a bundle holds none"
                    )
