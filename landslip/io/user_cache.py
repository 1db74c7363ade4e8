"""Folders for what may be thrown away and is this user's alone, such as compiled code."""

import os
import stat
from pathlib import Path

from landslip.io.files import InputError


def user_cache(name: str) -> Path:
    """A folder in the user's cache folder that nobody else can enter; it is made if absent.

    Returns
    -------
    Path
        `$XDG_CACHE_HOME/landslip/<name>`, else `~/.cache/landslip/<name>`.

    Raises
    ------
    InputError
        There is no home folder; the folder cannot be made, is a link, belongs to another user or
        is open to others: whoever can write there could have this user run their code.
    """
    given = os.environ.get("XDG_CACHE_HOME", "")
    # The standard has relative paths ignored.
    try:
        base = Path(given) if os.path.isabs(given) else Path.home() / ".cache"
    except RuntimeError as error:  # in a container, for a user whom it does not know
        raise InputError(
            "this user has no home folder to keep a cache in; set HOME or XDG_CACHE_HOME"
        ) from error
    for folder in (base / "landslip", base / "landslip" / name):
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            info = folder.lstat()
        except OSError as error:
            raise InputError(
                f"cannot make the cache folder {folder} ({error.strerror}); set XDG_CACHE_HOME to "
                "a folder that you can write to"
            ) from error
        if not stat.S_ISDIR(info.st_mode):
            raise InputError(f"the cache folder {folder} is a link or no folder; delete it")
        if info.st_uid != os.geteuid() or info.st_mode & 0o077:
            raise InputError(
                f"the cache folder {folder} must belong to you and be closed to others, got owner "
                f"{info.st_uid} and mode {stat.S_IMODE(info.st_mode):o} where {os.geteuid()} and "
                "700 are expected; delete it, for others may have put code there"
            )
    return folder
