"""New patches in a folder: which are meant, whatever else lies there."""

import gzip
import os
from pathlib import Path

import numpy as np
import pytest

from landslip.bundle.listing import folder_digests, shards_of_folder, write_new_listing
from landslip.io.files import InputError, read_json, read_parquet


@pytest.fixture
def patches(tmp_path: Path) -> Path:
    """Three patches."""
    folder = tmp_path / "patches"
    folder.mkdir()
    for name in ("a", "b", "c"):
        np.save(folder / f"{name}.npy", np.ones((4, 4, 2), np.float32))
    return folder


def listed(folder: Path) -> list[str]:
    """Ids of the patches that are answered for, in order."""
    out = folder.parent / "out"
    write_new_listing(
        folder, size=(4, 4), listing=out / "listing.parquet", listing_summary=out / "listing.json",
        listed=out / "listed.txt",
    )  # fmt: skip
    ids: list[str] = read_parquet(out / "listing.parquet")["id"].tolist()
    return ids


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gzip"])
def test_a_table_of_any_encoding_says_which_patches_are_meant(encoding: str, patches: Path) -> None:
    text = "ID\r\nc\r\na\r\n"
    name = "New.csv.gz" if encoding == "gzip" else "New.CSV"
    packed = gzip.compress(text.encode()) if encoding == "gzip" else text.encode(encoding)
    (patches / name).write_bytes(packed)
    assert listed(patches) == ["c", "a"]
    assert shards_of_folder(patches, 1) >= 2
    assert read_json(patches.parent / "out" / "listing.json")["strays"] == {"test": ["b.npy"]}


@pytest.mark.parametrize("name", ["New.csv", "NEW.CSV", "New.csv.gz"])
def test_another_order_in_a_table_of_the_same_size_is_another_folder(
    name: str, patches: Path
) -> None:
    without = folder_digests(patches)
    (patches / name).write_text("ID\na\nb\n")
    first = folder_digests(patches)
    (patches / name).write_text("ID\nb\na\n")
    second = folder_digests(patches)
    os.utime(patches / name)
    assert len({tuple(each) for each in (without, first, second)}) == 3
    assert folder_digests(patches) == second


def test_two_tables_are_refused_however_they_are_packed(patches: Path) -> None:
    (patches / "New.csv").write_text("ID\na\n")
    (patches / "Old.csv.gz").write_bytes(gzip.compress(b"ID\nb\n"))
    with pytest.raises(InputError, match=r"holds New\.csv, Old\.csv\.gz; leave the one"):
        listed(patches)


def test_a_name_that_is_no_utf8_is_refused_in_words_or_reported(patches: Path) -> None:
    for number in range(5):
        (patches / os.fsdecode(b"caf\xe9%d.npy" % number)).touch()
    with pytest.raises(InputError) as refused:
        listed(patches)
    said = str(refused.value)
    assert "names are no UTF-8" in said and r"caf\xe90.npy" in said and "rename them" in said
    said.encode()
    assert not (patches.parent / "out" / "listing.parquet").exists()
    # Where a table says which patches are meant, it is in no one's way.
    (patches / "New.csv").write_text("ID\na\n")
    assert listed(patches) == ["a"]
    strays = read_json(patches.parent / "out" / "listing.json")["strays"]["test"]
    assert strays[-1] == r"caf\xe94.npy"


def test_a_pipe_or_a_folder_among_the_patches_is_not_waited_for(patches: Path) -> None:
    os.mkfifo(patches / "pipe.npy")
    (patches / "folder.npy").mkdir()
    assert listed(patches) == ["a", "b", "c", "folder", "pipe"]
    os.mkfifo(patches / "New.csv")
    with pytest.raises(InputError, match=r"New\.csv is a named pipe"):
        shards_of_folder(patches, 1)
    with pytest.raises(InputError, match=r"New\.csv .*a named pipe"):
        listed(patches)


@pytest.mark.parametrize("name", ["<b>x", "a$^$b_$", "two\nlines", "=cmd()", "a,b", "cafe\u0301"])
def test_an_id_of_any_letters_stays_what_it_is(name: str, patches: Path) -> None:
    np.save(patches / f"{name}.npy", np.ones((4, 4, 2), np.float32))
    assert name in listed(patches)
