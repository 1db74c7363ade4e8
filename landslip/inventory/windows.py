"""Windows of a scene that may become patches: where they lie, what was seen, what stratum."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pyproj import CRS
from pyproj.aoi import AreaOfInterest
from pyproj.database import query_utm_crs_info

from landslip.inventory.blocks import common_crs
from landslip.inventory.negatives import hard_stratum, window_measures
from landslip.inventory.scene_files import scene_digests
from landslip.io.files import InputError, write_json, write_parquet
from landslip.io.records import read_object
from landslip.scene.interpreter import ChannelConventions, interpret_scene
from landslip.scene.rasters import Grid
from landslip.scene.reader import Flag, Reading, open_scene
from landslip.scene.verdicts import refuse

logger = logging.getLogger(__name__)

Bounds = NDArray[np.float64]

# Share by which a projection may stretch: UTM 0.0004 to 0.001, those of countries up to 0.01.
_TRUE_SCALE = 0.02

# Pixels of a side of what is read at once, about.
_SQUARE = 512


@dataclass(frozen=True, kw_only=True)
class SceneRecord:
    """A scene that was looked at, and how it is cut into windows."""

    name: str
    path: str
    """Of the scene file."""
    reading: Reading
    size: int
    """Rows and columns of a window."""
    windows: int
    """How many lie wholly inside of the scene."""
    seen: int
    """Those with enough data in every channel."""
    files: dict[str, str]
    """See `landslip.inventory.scene_files.scene_digests`."""
    warnings: list[str]
    """What the interpreter warns of."""


@dataclass(frozen=True, kw_only=True)
class Cut:
    """How scenes are cut into windows."""

    size: int
    """Rows and columns of a window, pixels."""
    stride: int
    """Pixels from one to the next."""
    least_data: float
    """Share of its pixels that must hold data in each channel."""


def look_at_scene(
    scene: Path, conventions: ChannelConventions, cut: Cut, *, table: Path, record: Path
) -> None:
    """Interpret a scene and find the windows that were seen.

    Parameters
    ----------
    scene
        The scene file.
    conventions
        Channels and what their numbers are; windows are read so.
    cut
        How the scene is cut into windows.
    table
        Parquet, one row for each window with enough data: row, column (of its first pixel), data
        (least share over channels), cloud, layover, water (shares of its pixels), stratum (see
        `landslip.inventory.negatives.hard_stratum`); neighbours stand together.
    record
        JSON of `SceneRecord`.

    Raises
    ------
    InputError
        A file cannot be read, a check refuses, a channel is missing, or no window was seen.
    """
    files = scene_digests(scene)
    found = interpret_scene(scene, conventions)
    refuse(found.verdicts, str(scene))
    reading = found.reading
    channels = list(conventions.channels)
    if missing := [name for name in channels if name not in reading.layers.channels]:
        raise InputError(
            f"{scene} gives no {', '.join(missing)}; name the images that do, or take the channels "
            "out of the config with `channels: {NAME: null}`, with the indices made of them"
        )
    grid = reading.grid
    if min(grid.width, grid.height) < cut.size:
        raise InputError(
            f"{scene} has {grid.width} x {grid.height} pixels, a window {cut.size} x {cut.size}; "
            "take a larger part of the scene, or set data.windows.size lower"
        )
    parts = list(_look(reading, channels, cut))
    windows = pd.concat(parts, ignore_index=True)
    seen = windows[windows["data"] >= cut.least_data].reset_index(drop=True)
    logger.info("%s: %d of %d windows were seen", scene, len(seen), len(windows))
    if seen.empty:
        raise InputError(
            f"{scene}: none of {len(windows)} windows has data in {cut.least_data:.0%} of its "
            f"pixels in every channel (at most {windows['data'].max():.0%}); do its images "
            "overlap? Set data.windows.least_data lower, or name a clearer scene"
        )
    write_parquet(table, seen)
    made = SceneRecord(
        name=found.scene.name,
        path=str(scene),
        reading=reading,
        size=cut.size,
        windows=len(windows),
        seen=len(seen),
        files=files,
        warnings=[each.line for each in found.verdicts if each.judgement in ("warning", "trusted")],
    )
    write_json(record, asdict(made))


def _look(reading: Reading, channels: Sequence[str], cut: Cut) -> Iterator[pd.DataFrame]:
    """Windows square by square, so that neighbours stand together and a square is read once."""
    grid, step = reading.grid, max(_SQUARE // cut.stride, 1)
    rows = np.arange(0, grid.height - cut.size + 1, cut.stride)
    columns = np.arange(0, grid.width - cut.size + 1, cut.stride)
    with open_scene(reading) as reader:
        places = [reader.channels.index(name) for name in channels]
        for first in range(0, len(rows), step):
            for start in range(0, len(columns), step):
                down, across = rows[first : first + step], columns[start : start + step]
                top, left = int(down[0]), int(across[0])
                height, width = int(down[-1]) + cut.size - top, int(across[-1]) + cut.size - left
                pixels = reader.read(top, left, height, width)
                yield _measure(
                    pixels.channels[places], pixels.flags, down, across, channels,
                    reading.reflectance_offset, cut.size,
                )  # fmt: skip


def _measure(
    image: NDArray[np.float32],
    flags: NDArray[np.uint8],
    down: NDArray[np.int64],
    across: NDArray[np.int64],
    channels: Sequence[str],
    offset: float,
    size: int,
) -> pd.DataFrame:
    """One row a window of a square that was read, row by row."""
    parts = []
    views = np.lib.stride_tricks.sliding_window_view(image, (size, size), (1, 2))
    seen = np.lib.stride_tricks.sliding_window_view(flags, (size, size))
    for row in down:
        windows = views[:, row - down[0], across - across[0]].transpose(1, 0, 2, 3)
        marks = seen[row - down[0], across - across[0]]
        measures = window_measures(windows, channels, offset)
        parts.append(
            pd.DataFrame(
                {
                    "row": np.full(len(across), row),
                    "column": across,
                    "data": np.isfinite(windows).mean(axis=(2, 3)).min(axis=1),
                    "cloud": ((marks & (Flag.CLOUD | Flag.SHADOW)) > 0).mean(axis=(1, 2)),
                    "layover": ((marks & Flag.LAYOVER) > 0).mean(axis=(1, 2)),
                    "water": ((marks & Flag.WATER) > 0).mean(axis=(1, 2)),
                    "stratum": hard_stratum(measures, len(across)),
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def read_scene_record(path: Path) -> SceneRecord:
    """Read what `look_at_scene` wrote.

    Raises
    ------
    InputError
        The file is damaged.
    """
    return read_object(path, SceneRecord)


def metric_crs(grid: Grid) -> CRS:
    """The grid's own system if its unit is a metre on the ground, else UTM of the grid's middle.

    Of the systems whose unit is called a metre, Mercator's for maps on the net has 0.7 m at 45
    degrees.
    """
    own = CRS.from_user_input(grid.crs)
    metres = np.divide(grid.pixel_metres(), (grid.across, grid.down))
    if own.is_projected and (np.abs(metres - 1) < _TRUE_SCALE).all():
        return own
    longitude, latitude = grid.centre()
    area = AreaOfInterest(longitude, latitude, longitude, latitude)
    zones = query_utm_crs_info(datum_name="WGS 84", area_of_interest=area)
    if not zones:
        # Beyond 84 degrees north or 80 south.
        return common_crs([(longitude, latitude)])
    return CRS.from_authority(zones[0].auth_name, zones[0].code)


def window_bounds(
    grid: Grid, rows: NDArray[np.int64], columns: NDArray[np.int64], size: int
) -> Bounds:
    """Left, bottom, right and top (n, 4) of windows in the grid's own system."""
    left = grid.left + columns * grid.across
    top = grid.top - rows * grid.down
    return np.column_stack([left, top - size * grid.down, left + size * grid.across, top])
