"""Digests that are kept are those of the bytes that stand there now."""

import os
import resource
import time
from pathlib import Path

import pytest

from landslip.io import kept_digests
from landslip.io.files import InputError, file_digest
from landslip.io.kept_digests import kept_digest
from landslip.io.user_cache import user_cache

LONG_AGO = time.time() - 1000


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that was written long ago."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    path = tmp_path / "image.tif"
    path.write_bytes(b"pixels")
    os.utime(path, (LONG_AGO, LONG_AGO))
    # What changes the file in a test is old enough, too, for its digest to be kept.
    monkeypatch.setattr(kept_digests, "_TICK", 0)
    return path


def test_a_file_is_read_once_and_again_when_it_changed(path: Path, monkeypatch: pytest.MonkeyPatch):
    read: list[Path] = []

    def counted(file: Path) -> str:
        read.append(file)
        return file_digest(file)

    monkeypatch.setattr(kept_digests, "file_digest", counted)
    first = kept_digest(path)
    assert kept_digest(path) == first == file_digest(path)
    assert len(read) == 1
    path.write_bytes(b"others")
    assert kept_digest(path) == file_digest(path) != first
    assert len(read) == 2


def test_a_change_is_seen_whose_time_was_set_back(path: Path):
    times = path.stat()
    kept_digest(path)
    time.sleep(0.02)  # a tick of the file system's clock
    path.write_bytes(b"others")
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert kept_digest(path) == file_digest(path)


def test_a_file_that_was_just_written_is_read_each_time(
    path: Path, monkeypatch: pytest.MonkeyPatch
):
    """A clock that ticks slowly gives two contents one time of change."""
    monkeypatch.setattr(kept_digests, "_TICK", 10**12)
    path.touch()
    kept_digest(path)
    times = path.stat()
    path.write_bytes(b"others")
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert kept_digest(path) == file_digest(path)


def test_who_has_no_home_folder_reads_each_time(path: Path, monkeypatch: pytest.MonkeyPatch):
    """As in a container that does not know the user."""

    def unknown(_: int) -> None:
        raise KeyError

    monkeypatch.setattr("pwd.getpwuid", unknown)
    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert kept_digest(path) == file_digest(path)
    with pytest.raises(InputError, match="set HOME or XDG_CACHE_HOME"):
        user_cache("digests")


def test_who_cannot_write_into_the_cache_reads_each_time(path: Path):
    """As over quota: the folder is there, and no byte goes into it."""
    user_cache("digests")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        found = kept_digest(path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert found == file_digest(path)
    assert not list(user_cache("digests").iterdir())


def test_what_is_kept_and_damaged_does_not_count(path: Path, tmp_path: Path):
    expected = kept_digest(path)
    (kept,) = (tmp_path / "cache" / "landslip" / "digests").iterdir()
    kept.write_text("x" * 64)
    assert kept_digest(path) == expected
