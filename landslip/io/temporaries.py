"""Names of files that are being written, and what to do with those of killed writers."""

import glob
import hashlib
import os
import platform
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

# After the suffix: what libraries write beside a file while they make it, such as SQLite's journal.
_TEMPORARY = re.compile(
    r"\.(?P<stem>.+)\.(?P<machine>[0-9a-f]{8})\.(?P<pid>[0-9]{1,9})\.tmp(?P<suffix>(\.\w+)?)"
    r"(?P<beside>([-.].+)?)"
)


def temporary_beside(target: Path) -> Path:
    """A hidden path beside `target`, with its suffix, that no other process uses."""
    return target.with_name(f".{target.stem}.{_machine()}.{os.getpid()}.tmp{target.suffix}")


def discard(temporary: Path) -> None:
    """Remove a file that is not to be, and what a library left beside it."""
    beside = temporary.parent.glob(f"{glob.escape(temporary.name)}[-.]*")
    for path in (temporary, *beside):
        with suppress(OSError):
            path.unlink()


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """Give an empty folder among the system's temporary ones, and remove it afterwards.

    Those that killed processes left there are removed first: an unpacked bundle may be large.
    """
    base = tempfile.gettempdir()
    clear_temporaries(base)
    suffix = f".{_machine()}.{os.getpid()}.tmp"
    with tempfile.TemporaryDirectory(dir=base, prefix=".landslip-", suffix=suffix) as folder:
        yield Path(folder)


def clear_temporaries(folder: Path | str, name: str | None = None) -> None:
    """Remove what killed writers left in a folder: files, and folders with all in them.

    Whether a writer is alive can be told on the machine that it ran on. What one of another
    machine left, or of this one before it was restarted, is removed where it was to become `name`:
    a file has one writer at a time.
    """
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            found = _TEMPORARY.fullmatch(entry.name)
            if found is None:
                continue
            if found["machine"] == _machine():
                left = not _is_alive(int(found["pid"]))
            else:
                left = found["stem"] + found["suffix"] == name
            if left:
                if entry.is_dir(follow_symlinks=False):
                    shutil.rmtree(entry.path, ignore_errors=True)
                else:
                    with suppress(OSError):
                        os.unlink(entry.path)


@cache
def _machine() -> str:
    """Where process ids mean the same: eight digits of this machine's start and the container."""
    try:
        start = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii")
        return _digits(start + os.readlink("/proc/self/ns/pid"))
    except OSError:
        return _digits(platform.node())


def _is_alive(pid: int) -> bool:
    """Whether a process of this machine runs; one that has ended and is not yet reaped does not."""
    try:
        os.kill(pid, 0)
        status = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return status.rpartition(")")[2].split()[0] not in ("Z", "X")


def _digits(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]
