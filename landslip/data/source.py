"""Where patches come from: what survey, manifest and store ask of whatever reads them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from landslip.data.patches import PatchError, changed_patch, patch_shape, read_patch
from landslip.io.files import InputError

Shape = tuple[int, int]


class ReadPatch(NamedTuple):
    """A patch as it lies there."""

    pixels: NDArray[Any]
    """(row, column, channel) integers or floats; may hold NaN and infinity."""
    sha256: str
    """Patches of one digest are identical."""


class PatchReader(Protocol):
    """Reads patches that a table lists. It travels to other processes, so it is plain."""

    @property
    def columns(self) -> Sequence[str]:
        """Columns of the listing that say where a patch lies."""

    def shape(self, rows: pd.DataFrame) -> Shape | None:
        """Rows and columns of the first patch, before its pixels are read."""

    def read(self, rows: pd.DataFrame, shape: Shape | None) -> Iterator[ReadPatch | PatchError]:
        """Every patch in the table's order, or what is wrong with it; `shape` None: any."""

    def runs(self, rows: pd.DataFrame, least: int) -> list[NDArray[np.intp]]:
        """Positions of all rows, in runs that are each to be read at once and in this order.

        A run has `least` rows and as many more as it takes to decode nothing twice.
        """

    def changed(self, row: Any) -> str | None:
        """What to say of a patch (id and `columns`) whose digest is not that of the survey.

        None where it is the same for all that: computed from the very same files.
        """

    def name(self, row: Any) -> str:
        """The patch and where it lies, for messages."""


@dataclass(frozen=True)
class PatchFiles:
    """Reads patches that are files of their own (.npy)."""

    channels: int
    """Length of a patch's last axis."""

    @property
    def columns(self) -> Sequence[str]:
        """A file has a path."""
        return ("path",)

    def shape(self, rows: pd.DataFrame) -> Shape | None:
        """By the first file's header."""
        return patch_shape(Path(rows["path"].iloc[0]), self.channels)

    def read(self, rows: pd.DataFrame, shape: Shape | None) -> Iterator[ReadPatch | PatchError]:
        """See `landslip.data.patches.read_patch`; a file that is gone is unreadable."""
        for path in map(Path, rows["path"]):
            try:
                yield ReadPatch(*read_patch(path, self.channels, shape))
            except PatchError as error:
                yield error
            except FileNotFoundError:
                yield PatchError(path, "unreadable", "gone since it was listed")

    def runs(self, rows: pd.DataFrame, least: int) -> list[NDArray[np.intp]]:
        """In the table's order."""
        return [
            np.arange(start, min(start + least, len(rows))) for start in range(0, len(rows), least)
        ]

    def changed(self, row: Any) -> str | None:
        """Which file, and what to do."""
        return changed_patch(Path(row.path))

    def name(self, row: Any) -> str:
        """Id and path."""
        return f"patch {Path(row.path).stem} ({row.path})"


def read_unchanged(
    reader: PatchReader, rows: pd.DataFrame, shape: Shape | None
) -> Iterator[NDArray[Any]]:
    """Patches (row, column, channel) that were looked at before, in the table's order.

    Parameters
    ----------
    reader
        Of the patches.
    rows
        id, sha256 and the reader's columns.
    shape
        Rows and columns that every patch must have.

    Raises
    ------
    InputError
        One is another than that of its SHA-256, or cannot be used.
    """
    for row, found in zip(rows.itertuples(), reader.read(rows, shape), strict=True):
        if found.sha256 != row.sha256 and (why := reader.changed(row)):
            raise InputError(why)
        if isinstance(found, PatchError):
            raise found
        yield found.pixels
