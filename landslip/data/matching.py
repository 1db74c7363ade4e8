"""The file of every id in a patch folder; and, where there is none, what may explain it."""

import os
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from landslip.data.patches import SUFFIX
from landslip.io.files import InputError

# Subfolders that are looked into for patches that the folder itself lacks.
_SUBFOLDERS = 20


@dataclass(frozen=True)
class PatchFolder:
    """Names of what stands in a patch folder."""

    path: Path
    names: frozenset[str]
    """Hidden ones left out."""

    @cached_property
    def patches(self) -> frozenset[str]:
        """Names of the patches' files."""
        return frozenset(name for name in self.names if name.endswith(SUFFIX))

    def unused(self, used: Iterable[str]) -> list[str]:
        """Names of patches' files that no path uses."""
        return sorted(self.patches - frozenset(used))

    def files(self, ids: Sequence[str]) -> dict[str, str]:
        """Id -> the name of its file, for the ids that have one.

        Where no file has an id's very name, one is taken that differs in the Unicode form of its
        letters alone (é as one mark or as two), if no second id or file might be meant.
        """
        found = {name: name + SUFFIX for name in ids if name + SUFFIX in self.patches}
        missing = [name for name in ids if name not in found]
        if missing:
            meant = respelt(missing, ids, [name.removesuffix(SUFFIX) for name in self.patches])
            found |= {name: file + SUFFIX for name, file in meant.items()}
        return found

    def cause(self, patch_id: str) -> str:
        """What may explain that an id has no file, and what to do; or empty."""
        return next((text for text in (test(patch_id) for test in self._tests) if text), "")

    @property
    def _tests(self) -> Sequence[Callable[[str], str]]:
        return (self._dead_link, self._with_suffix, self._in_folder, self._variant, self._number)

    def _dead_link(self, patch_id: str) -> str:
        if patch_id + SUFFIX not in self.names:
            return ""
        path = self.path / (patch_id + SUFFIX)
        annex = path.is_symlink() and ".git/annex/" in os.readlink(path)
        return "the file is a link to nothing" + ("; fetch it with git annex get" if annex else "")

    def _with_suffix(self, patch_id: str) -> str:
        stem, suffix = patch_id[: -len(SUFFIX)], patch_id[-len(SUFFIX) :]
        if suffix.lower() != SUFFIX or stem.rpartition("/")[2] + SUFFIX not in self.patches:
            return ""
        more = " and a folder's name" if "/" in stem else ""
        return f"the ids end in {suffix}; take it{more} out of the table"

    def _in_folder(self, patch_id: str) -> str:
        head, _, name = patch_id.rpartition("/")
        if head and name + SUFFIX in self.patches:
            return "the ids begin with a folder's name; take it out of the table"
        plain = not os.path.isabs(patch_id) and ".." not in patch_id and "\0" not in patch_id
        if head and plain and os.path.lexists(self.path / f"{patch_id}{SUFFIX}"):
            return "the file lies in a folder of its own; put all patches into one folder"
        for folder in self._subfolders:
            if not head and plain and os.path.lexists(folder / f"{patch_id}{SUFFIX}"):
                return f"the file lies in {folder}; name that folder"
        return ""

    def _variant(self, patch_id: str) -> str:
        other = self._by_lower_case.get(f"{patch_id}{SUFFIX}".lower())
        if other and other.removesuffix(SUFFIX) != other:
            return "the file's name has other capitals; give both the same"
        if other:
            return f"the file ends in {os.path.splitext(other)[1]}; rename it to {SUFFIX}"
        if self._by_form.get(_form(patch_id)):
            return (
                "several ids or files differ in the Unicode form of their letters alone; give id "
                "and file the same"
            )
        seen = "".join(mark for mark in patch_id if mark.isprintable())
        if seen != patch_id and seen + SUFFIX in self.patches:
            return "the ids hold marks that none can see; take them out of the table"
        if suffix := self._suffixes.get(patch_id):
            return f"the file ends in {suffix}; save it with numpy.save as {SUFFIX}"
        return ""

    def _number(self, patch_id: str) -> str:
        whole = patch_id.removesuffix(".0")
        if not (whole.isascii() and whole.isdigit()):
            return ""
        if whole != patch_id and whole + SUFFIX in self.patches:
            return "the ids were saved as decimal numbers; take .0 out of the table"
        if self._by_number.get(whole.lstrip("0")):
            return (
                "the file's name has other zeros in front, as a spreadsheet takes them away; "
                "save the column as text"
            )
        return ""

    @cached_property
    def _by_lower_case(self) -> dict[str, str]:
        return {name.lower(): name for name in self.names}

    @cached_property
    def _by_form(self) -> Counter[str]:
        return Counter(_form(name.removesuffix(SUFFIX)) for name in self.patches)

    @cached_property
    def _by_number(self) -> Counter[str]:
        stems = (name.removesuffix(SUFFIX) for name in self.patches)
        return Counter(stem.lstrip("0") for stem in stems if stem.isascii() and stem.isdigit())

    @cached_property
    def _suffixes(self) -> dict[str, str]:
        found = {}
        for name in self.names:
            stem, suffix = os.path.splitext(name)
            if suffix:
                found[stem.removesuffix(SUFFIX)] = name[len(stem.removesuffix(SUFFIX)) :]
        return found

    @cached_property
    def _subfolders(self) -> list[Path]:
        names = sorted(name for name in self.names if not os.path.splitext(name)[1])
        return [path for name in names[:_SUBFOLDERS] if (path := self.path / name).is_dir()]


def list_folder(path: Path) -> PatchFolder:
    """List a patch folder.

    Raises
    ------
    InputError
        There is none, or its name cannot stand in a table.
    """
    try:
        str(path).encode()
        names = os.listdir(path)
    except OSError as error:
        raise InputError(
            f"cannot list the patch folder {path} ({error.strerror}); "
            "set data.folder, or data.train.patches and data.test.patches"
        ) from error
    except UnicodeEncodeError as error:
        raise InputError(f"the name of the patch folder {path!r} is no UTF-8") from error
    return PatchFolder(path, frozenset(name for name in names if not name.startswith(".")))


def respelt(missing: Sequence[str], ids: Iterable[str], files: Iterable[str]) -> dict[str, str]:
    """Names that are missing -> those that differ in Unicode form alone, where one can be meant.

    Parameters
    ----------
    missing, ids
        Those ids that no file has, and all of them.
    files
        What they are looked for among.
    """
    if all(name.isascii() for name in missing):
        return {}
    asked = Counter(_form(name) for name in set(ids))
    offered: dict[str, list[str]] = {}
    for name in files:
        offered.setdefault(_form(name), []).append(name)
    forms: Mapping[str, str] = {name: _form(name) for name in missing}
    return {
        name: offered[form][0]
        for name, form in forms.items()
        if asked[form] == 1 and len(offered.get(form, ())) == 1
    }


def _form(name: str) -> str:
    return name if name.isascii() else unicodedata.normalize("NFC", name)
