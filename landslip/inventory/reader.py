"""Reads patches that are windows of scenes, many windows of one square of a scene at once."""

import hashlib
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from landslip.data.patches import PatchError
from landslip.data.problems import shortened
from landslip.data.source import ReadPatch, Shape
from landslip.inventory.scene_files import Digests, changed_files, scene_digests
from landslip.inventory.windows import SceneRecord, read_scene_record
from landslip.io.files import InputError
from landslip.scene.reader import Reading, SceneReader, open_scene

log = logging.getLogger(__name__)

# Pixels of a side of what is read at once, at most, beyond a window's own.
_SQUARE = 512


@dataclass(frozen=True, kw_only=True)
class WindowReader:
    """Reads windows; see `landslip.data.source.PatchReader`."""

    readings: Mapping[str, Reading]
    """Of each scene, by its file."""
    files: Mapping[str, Digests]
    """SHA-256 of each scene's files, as they were when it was looked at."""
    channels: Sequence[str]
    """Of the patches, in order."""
    size: int
    """Rows and columns of a window."""

    @property
    def columns(self) -> Sequence[str]:
        """A window lies in a scene, by its file, from a row and a column on."""
        return ("path", "row", "column")

    def shape(self, rows: pd.DataFrame) -> Shape | None:
        """All windows are alike."""
        return self.size, self.size

    def runs(self, rows: pd.DataFrame, least: int) -> list[NDArray[np.intp]]:
        """Whole rows of a scene's blocks, block after block.

        A block that is decoded is kept for a while, but not until the next row of squares.
        """
        runs: list[NDArray[np.intp]] = []
        run: list[NDArray[np.intp]] = []
        paths, row, column = (rows[name].to_numpy() for name in self.columns)
        for path in dict.fromkeys(paths):
            with open_scene(self.readings[path]) as reader:
                blocks = reader.blocks(_SQUARE)
            own = np.flatnonzero(paths == path)
            down = (row[own].astype(int) - blocks.first_row) // blocks.height
            across = (column[own].astype(int) - blocks.first_column) // blocks.width
            order = np.lexsort((across, down))
            for part in np.split(own[order], np.flatnonzero(np.diff(down[order])) + 1):
                run.append(part)
                if sum(map(len, run)) >= least:
                    runs.append(np.concatenate(run))
                    run = []
        return [*runs, np.concatenate(run)] if run else runs

    def read(self, rows: pd.DataFrame, shape: Shape | None) -> Iterator[ReadPatch | PatchError]:
        """Windows in the table's order; neighbours in it are read together.

        The SHA-256 is of the window's float32 values, channel after channel, row by row.

        Raises
        ------
        InputError
            A file of the scene cannot be read.
        """
        places = zip(rows["path"], rows["row"].astype(int), rows["column"].astype(int), strict=True)
        for path, group in groupby(places, key=lambda place: place[0]):
            corners = [(row, column) for _, row, column in group]
            with open_scene(self.readings[path]) as reader:
                for run in self._squares(corners):
                    yield from self._read(reader, run)

    def _squares(self, corners: Sequence[tuple[int, int]]) -> Iterator[list[tuple[int, int]]]:
        """Runs of neighbours in the list whose common rectangle is small."""
        run: list[tuple[int, int]] = []
        for corner in corners:
            extent = np.ptp(np.array([*run, corner]), axis=0)
            if run and extent.max() > _SQUARE:
                yield run
                run = []
            run.append(corner)
        if run:
            yield run

    def _read(self, reader: SceneReader, run: Sequence[tuple[int, int]]) -> Iterator[ReadPatch]:
        corners = np.array(run)
        (top, left), (bottom, right) = corners.min(axis=0), corners.max(axis=0) + self.size
        pixels = reader.read(int(top), int(left), int(bottom - top), int(right - left))
        image = pixels.channels[[reader.channels.index(name) for name in self.channels]]
        for row, column in run:
            window: NDArray[np.float32] = np.ascontiguousarray(
                image[
                    :, row - top : row - top + self.size, column - left : column - left + self.size
                ],
                "<f4",
            )
            yield ReadPatch(window.transpose(1, 2, 0), hashlib.sha256(window.data).hexdigest())

    def changed(self, row: Any) -> str | None:
        """Which window and files; None where the files are those that were surveyed.

        Logarithms of another kind of processor may differ in the last bit: a run may be
        surveyed on one and stored on another.
        """
        other = changed_files(self.files[row.path], _files_now(row.path))
        if not other:
            log.warning("%s has other last bits on this processor than surveyed", self.name(row))
            return None
        return (
            f"{self.name(row)} has changed since it was surveyed ({_files(other)}); run again, and "
            "what depends on the scene is made anew"
        )

    def name(self, row: Any) -> str:
        """Scene, row and column."""
        return f"the window at row {row.row}, column {row.column} of {row.path}"


def open_windows(records: Iterable[Path], channels: Sequence[str]) -> WindowReader:
    """A reader of scenes that were looked at.

    Parameters
    ----------
    records
        As `landslip.inventory.windows.look_at_scene` writes them.
    channels
        Of the patches, in order.

    Raises
    ------
    InputError
        Scenes have changed since.
    """
    scenes = [read_scene_record(path) for path in records]
    refuse_changed(scenes)
    return WindowReader(
        readings={scene.path: scene.reading for scene in scenes},
        files={scene.path: scene.files for scene in scenes},
        channels=list(channels),
        size=scenes[0].size,
    )


def refuse_changed(scenes: Sequence[SceneRecord]) -> None:
    """Stop where files of a scene are not those that were looked at.

    Raises
    ------
    InputError
        With the scenes' number, names and files.
    """
    changed = {}
    for scene in scenes:
        if other := changed_files(scene.files, _files_now(scene.path)):
            changed[scene.path] = other
    if changed:
        which = "; ".join(f"{path} ({_files(names)})" for path, names in changed.items())
        raise InputError(
            f"{len(changed)} of {len(scenes)} scenes have changed since they were looked at: "
            f"{which}; run again, and what depends on them is made anew"
        )


def _files_now(scene: str) -> Digests:
    """Of a scene file that cannot be read any more, nothing."""
    try:
        return scene_digests(Path(scene))
    except (InputError, OSError):
        return {}


def _files(names: Sequence[str]) -> str:
    return shortened([Path(name).name for name in names])
