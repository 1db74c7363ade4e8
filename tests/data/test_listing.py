"""The digest of a patch folder follows names, sizes and where links lead, whatever the names."""

import os
from pathlib import Path

import pytest

from landslip.data.listing import listing_digest
from landslip.io.files import InputError


def test_what_changes_a_folder_changes_its_digest_and_touching_does_not(tmp_path: Path):
    cache, folder = tmp_path / "cache", tmp_path / "patches"
    for path in (cache, folder):
        path.mkdir()
    (cache / "blob").write_bytes(b"1")
    (folder / "a.npy").write_bytes(b"1")
    seen = [listing_digest(folder)]
    os.utime(folder / "a.npy", (1, 1))
    (folder / "notes.txt").write_text("other files do not count")
    assert listing_digest(folder) == seen[0]
    for change in (
        lambda: (folder / "a.npy").write_bytes(b"12"),
        lambda: (folder / "b.npy").symlink_to(cache / "blob"),
        lambda: (cache / "blob").write_bytes(b"12"),
        lambda: (cache / "blob").unlink(),
        lambda: os.mkfifo(folder / "c.npy"),
        lambda: (folder / os.fsdecode(b"caf\xe9.npy")).write_bytes(b""),
    ):
        change()
        seen.append(listing_digest(folder))
    assert len(set(seen)) == len(seen)


def test_a_folder_that_cannot_be_listed_is_named(tmp_path: Path):
    with pytest.raises(InputError, match=r"absent.*data\.folder"):
        listing_digest(tmp_path / "absent")
