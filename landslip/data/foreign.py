"""What a file is whose content is not what its name says, told by its first bytes."""

from pathlib import Path

from landslip.io.ordinary_files import open_ordinary

# Bytes that suffice to tell.
HEAD = 256

TIFF = "a TIFF image"
ZIP = "a zip archive (.zip, .npz, .xlsx)"

# How a file begins -> what it is, and what to do about it.
_STARTS = (
    (
        b"version https://git-lfs",
        "a pointer of Git LFS stands in its place; fetch the files with git lfs pull",
    ),
    (
        b"/annex/objects/",
        "a pointer of git-annex stands in its place; fetch the files with git annex get",
    ),
    (b"PK\x03\x04", ZIP),
    (b"\x1f\x8b", "compressed with gzip; unpack it"),
    (b"BZh", "compressed with bzip2; unpack it"),
    (b"\xfd7zXZ", "compressed with xz; unpack it"),
    (b"\x28\xb5\x2f\xfd", "compressed with zstd; unpack it"),
    (b"\xd0\xcf\x11\xe0", "a spreadsheet (.xls)"),
    (b"PAR1", "a parquet table"),
    (b"\x89HDF", "an HDF5 file"),
    (b"CDF", "a NetCDF file"),
    (b"\x93NUMPY", "an array of numpy (.npy)"),
    (b"II*\x00", TIFF),
    (b"MM\x00*", TIFF),
    (b"II+\x00", TIFF),
    (b"\x89PNG", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"%PDF", "a PDF document"),
)
# Of texts, without regard to capitals and leading spaces.
_PAGES = ((b"<!doctype html", b"<html", b"<head", b"<?xml", b"<error"), (b'{"', b"{'"))


def foreign_content(head: bytes) -> str | None:
    """Say what a file is by its first `HEAD` bytes; None if nothing speaks against it.

    Returns
    -------
    str or None
        Words that go on after "the file is".
    """
    for start, what in _STARTS:
        if head.startswith(start):
            return what
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if text.startswith(_PAGES[0]):
        return "a web page or the error of a server, saved under its name; download it again"
    if text.startswith(_PAGES[1]):
        return "JSON, perhaps the error of a server; download it again"
    if len(head) >= HEAD and not head.strip(b"\0"):
        return "filled with zero bytes, as a copy that was broken off; get it again"
    return None


def foreign_file(path: Path, own: str) -> str | None:
    """As `foreign_content`, of a file; None, too, where it cannot be read, or is of its own form.

    Parameters
    ----------
    path
        A file that its reader does not take.
    own
        What it should be, in the words of `foreign_content`: then it is damaged, not foreign.
    """
    try:
        with open_ordinary(path) as file:
            found = foreign_content(file.read(HEAD))
    except OSError:
        return None
    return None if found == own else found
