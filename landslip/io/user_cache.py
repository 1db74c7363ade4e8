"""Folders for what may be thrown away and is this user's alone, such as compiled code."""

import os
import stat
from contextlib import suppress
from pathlib import Path

from landslip.io.files import InputError, write_text


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


class TextCache:
    """Answers that cost time, as texts in a folder of the user's cache.

    Where there can be no such folder, or nothing can be written into it (a full quota, a home that
    is read-only), nothing is kept and every answer is worked out anew.
    """

    def __init__(self, name: str) -> None:
        try:
            self._folder: Path | None = user_cache(name)
        except InputError:
            self._folder = None

    def get(self, key: str) -> str | None:
        """The text that was kept under a key; None: none."""
        if self._folder is None:
            return None
        with suppress(OSError):
            return (self._folder / key).read_text(encoding="utf-8", errors="replace")
        return None

    def put(self, key: str, text: str) -> None:
        """Keep a text under a key, where that is possible."""
        if self._folder is not None:
            with suppress(OSError, InputError):
                write_text(self._folder / key, text)
