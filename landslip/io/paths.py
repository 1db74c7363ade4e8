"""Paths that the config names: expanded, checked and brought to one spelling, here alone."""

import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator

# Bytes that a file system takes for one name, and for a path with landslip's own names after it.
_LONGEST_NAME = 255
_LONGEST_PATH = 3800

_VARIABLE = re.compile(r"\$(?:\{([^}]*)\}|([A-Za-z_][A-Za-z0-9_]*))")


def expand_path(text: str) -> str:
    """Put in variables and the home folder, and take out what spells the same path differently.

    Parameters
    ----------
    text
        May begin with `~` or `~user`, and hold `$NAME` and `${NAME}`.

    Returns
    -------
    str
        No `.`, no `..` that can be spared, no doubled or trailing slash. Links stay links.

    Raises
    ------
    ValueError
        A variable or a user is unknown, or file systems or Snakemake cannot have such a path.
    """
    path = os.path.expanduser(_VARIABLE.sub(_value, text))
    if path.startswith("~"):
        raise ValueError(
            f"no user is called so; write ./~NAME for a folder that is called ~NAME; got {text!r}"
        )
    reason = _reason_against(path)
    if reason:
        raise ValueError(f"a path {reason}; got {text!r}")
    # POSIX lets two slashes at the start mean something; no system here does.
    normal = re.sub("^//", "/", os.path.normpath(path))
    if normal.startswith("-"):
        raise ValueError(
            f"a path cannot begin with a dash, which commands take for an option; got {text!r}"
        )
    if ".." in Path(path).parts and os.path.realpath(path) != os.path.realpath(normal):
        raise ValueError(
            f"the path goes through a link and back by `..`; spell it out; got {text!r}"
        )
    return normal


def takes_from_environment(text: str) -> bool:
    """Whether `expand_path` puts the value of a variable, such as HOME, into a path."""
    return text.startswith("~") or _VARIABLE.search(text) is not None


def normalise_path(text: str) -> str:
    """Give a path the one spelling that all its spellings share.

    Parameters
    ----------
    text
        As `expand_path` takes it; relative to the working directory, which Snakemake's
        `--directory` sets before it reads any rule.

    Returns
    -------
    str
        Relative where the path lies in the working directory, else absolute.
    """
    return relative_path(expand_path(text))


def relative_path(path: str) -> str:
    """Give what `expand_path` returned relative to the working directory, if it lies inside."""
    if not path.startswith(("/", "..")):
        return path
    cwd = os.getcwd()
    full = os.path.normpath(os.path.join(cwd, path))
    for parent in (Path(full), *Path(full).parents):
        # The working directory may itself be reached through a link; what lies in it may not.
        if str(parent) == cwd or (os.path.exists(parent) and os.path.samefile(parent, cwd)):
            return os.path.relpath(full, parent)
    reason = _reason_against(full)
    if reason:
        raise ValueError(f"a path {reason}; got {full!r}")
    return full


ConfigPath = Annotated[str, AfterValidator(normalise_path)]
"""A path relative to the working directory."""

PartPath = Annotated[str, AfterValidator(expand_path)]
"""A path that may be relative to a folder that another key names."""


def results_mistakes(
    results: str, *, folder: str | None, tables: Iterable[str], patches: Iterable[str]
) -> Iterable[str]:
    """Say why outputs cannot lie in a folder, seen from where the data lie.

    Parameters
    ----------
    results
        Normalised, as all the paths here.
    folder
        The data folder, if there is one.
    tables
        CSV files of the data.
    patches
        Folders of the data.
    """
    real = _real(results)
    cwd = _real(".")
    if real == cwd or real in cwd.parents:
        yield (
            f"results: {results!r} holds the working directory itself; name a folder of its own, "
            "such as results"
        )
        return
    for parent in (real, *real.parents):
        if os.path.exists(parent) and not os.path.isdir(parent):
            yield f"results: {parent} is a file; name a folder"
            return
    if folder is not None and _real(folder) == real:
        yield f"results: {results!r} is the data folder; name another"
        return
    for path in patches:
        if real.is_relative_to(_real(path)):
            yield f"results: {results!r} lies in the patch folder {path}; name another"
            return
    for path in (*([] if folder is None else [folder]), *patches, *tables):
        if _real(path).is_relative_to(real):
            yield f"results: {results!r} holds the data ({path}); name another folder for either"
            return


def _real(path: str) -> Path:
    return Path(os.path.realpath(path))


def _value(match: re.Match[str]) -> str:
    name = match[1] if match[1] is not None else match[2]
    value = os.environ.get(name, "")
    # An empty one would turn $SCRATCH/run into /run.
    if not value:
        state = "empty" if name in os.environ else "not set"
        raise ValueError(f"the variable {name} is {state}; set it, or write the path out")
    return value


def _reason_against(path: str) -> str:
    """Why neither Snakemake nor file systems would have a path; empty if they would."""
    try:
        names = path.encode().split(b"/")
    except UnicodeEncodeError:
        return "must be valid UTF-8"
    if not path:
        return "cannot be empty; leave the key out where there is none"
    if re.search("[\x00-\x1f\x7f-\x9f\u2028\u2029]", path):
        return "cannot hold line breaks or other control characters"
    if re.search("[{}<>]", path):
        return "cannot hold { } < or >, which mean something to Snakemake; rename the folder"
    if path != path.strip():
        return "cannot begin or end with a space"
    if "://" in path:
        return "names a file of this machine, not a URL; download it first"
    if max(map(len, names)) > _LONGEST_NAME or len(path.encode()) > _LONGEST_PATH:
        return "cannot be so long"
    return ""
