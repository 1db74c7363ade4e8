"""Text files of SHA-256 sums, as `sha256sum` writes and checks them."""

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from landslip.io.files import InputError, file_digest, write_text
from landslip.io.ordinary_files import open_ordinary

_LINE = re.compile(r"([0-9a-f]{64}) [ *](.+)")


def write_sums(target: str | Path, paths: Iterable[str | Path]) -> None:
    """Write the sums of files, atomically.

    Parameters
    ----------
    target
        Text of one line a file: sum and name, relative to the folder of `target`.
    paths
        The files.
    """
    folder = os.path.dirname(os.path.abspath(target))
    lines = [f"{file_digest(path)}  {os.path.relpath(path, folder)}\n" for path in paths]
    write_text(target, "".join(lines))


def read_sums(path: str | Path) -> Iterator[tuple[str, str]]:
    """Absolute path and SHA-256 of every file that a sums file names.

    Raises
    ------
    InputError
        A line is not a sum and a name.
    """
    folder = os.path.dirname(os.path.abspath(path))
    try:
        with open_ordinary(path) as file:
            lines = file.read().decode("utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is damaged ({error}); delete it and run again") from error
    for number, line in enumerate(lines, start=1):
        parts = _LINE.fullmatch(line)
        if parts is None:
            raise InputError(
                f"{path} is damaged: line {number} is not a SHA-256 and a name; delete it and run "
                "again"
            )
        yield os.path.abspath(os.path.join(folder, parts[2])), parts[1]
