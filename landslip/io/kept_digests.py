"""SHA-256 of users' large files, computed once for each state of a file and then kept."""

import os
import re
import time
from pathlib import Path

from landslip.io.files import file_digest, text_digest
from landslip.io.user_cache import TextCache

# Within it a file may change once more and have the same times.
_TICK = 2_000_000_000  # ns


def kept_digest(path: Path | str) -> str:
    """SHA-256 of a file's bytes, which are read only if its size, place or times are new.

    The time of change may be set to any; that of the file's status is the system's own, and new
    with every write. What was found is kept in the user's own cache folder; where there can be
    none, files are read each time.

    Raises
    ------
    OSError
        The file cannot be read, or is no ordinary one.
    """
    state = os.stat(path)
    times = (state.st_mtime_ns, state.st_ctime_ns)
    seen = (state.st_dev, state.st_ino, state.st_size, *times)
    kept, key = TextCache("digests"), text_digest(os.path.abspath(path), *map(str, seen))
    found = kept.get(key)
    if found is not None and re.fullmatch("[0-9a-f]{64}", found):
        return found
    digest = file_digest(path)
    if time.time_ns() - max(times) > _TICK:
        kept.put(key, digest)
    return digest
