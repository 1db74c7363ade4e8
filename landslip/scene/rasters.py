"""Raster files, opened with errors in plain words, and the grids that they lie on."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import rasterio
from affine import Affine
from pyproj import Geod, Transformer
from rasterio.errors import CRSError, RasterioError, RasterioIOError

from landslip.data.foreign import TIFF, foreign_file
from landslip.io.files import InputError
from landslip.io.offline import OFFLINE
from landslip.scene.virtual import is_virtual, sources_of

# Bytes that GDAL keeps of what it has decoded, whatever the machine's memory: over the width of a
# tile of 2048 pixels, jp2 blocks of four bands (24 MB) and 256 rows of twelve radar images.
CACHE = 128 << 20
# Share of a pixel by which two grids may lie apart and still be one.
_TOLERANCE = 0.05
_PACKED = "/vsizip/"
# Domains of metadata that name files of overviews.
_ELSEWHERE = ("OVERVIEWS", "PROXY_OVERVIEW_REQUEST")


@dataclass(frozen=True, kw_only=True)
class Grid:
    """Where the pixels of a raster lie: north is up."""

    crs: str
    """As WKT or EPSG:n."""
    left: float
    top: float
    across: float
    """Width of a pixel in the unit of `crs`."""
    down: float
    """Its height, positive."""
    width: int
    height: int

    @property
    def transform(self) -> Affine:
        """Column and row to coordinates."""
        return Affine(self.across, 0, self.left, 0, -self.down, self.top)

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """Left, bottom, right, top."""
        right = self.left + self.width * self.across
        return self.left, self.top - self.height * self.down, right, self.top

    def offset_of(self, other: Grid) -> tuple[int, int] | None:
        """Row and column of this grid at which another begins; None where it is another grid."""
        if rasterio.CRS.from_user_input(self.crs) != rasterio.CRS.from_user_input(other.crs):
            return None
        row = (self.top - other.top) / self.down
        column = (other.left - self.left) / self.across
        if not (math.isfinite(row) and math.isfinite(column)):  # pixels of almost no size
            return None
        away = max(abs(row - round(row)), abs(column - round(column)))
        # Pixels of almost one size drift apart over the width of a raster.
        drift = max(
            abs(other.across / self.across - 1) * other.width,
            abs(other.down / self.down - 1) * other.height,
        )
        if max(away, drift) > _TOLERANCE:
            return None
        return round(row), round(column)

    def part(self, row: int, column: int, height: int, width: int) -> Grid:
        """A rectangle of this grid."""
        return Grid(
            crs=self.crs,
            left=self.left + column * self.across,
            top=self.top - row * self.down,
            across=self.across,
            down=self.down,
            width=width,
            height=height,
        )

    def centre(self) -> tuple[float, float]:
        """Longitude and latitude of the middle, degrees."""
        left, bottom, right, top = self.bounds
        return self.lonlat((left + right) / 2, (bottom + top) / 2)

    def lonlat(self, x: float, y: float) -> tuple[float, float]:
        """Longitude and latitude of a place."""
        turn = Transformer.from_crs(self.crs, "EPSG:4326", always_xy=True)
        longitude, latitude = turn.transform(x, y)
        return float(longitude), float(latitude)

    def pixel_metres(self) -> tuple[float, float]:
        """Width and height of a pixel in the middle of the grid, metres on the ellipsoid."""
        left, bottom, right, top = self.bounds
        x, y = (left + right) / 2, (bottom + top) / 2
        geod = Geod(ellps="WGS84")
        here = self.lonlat(x, y)
        east = self.lonlat(x + self.across, y)
        south = self.lonlat(x, y - self.down)
        return float(geod.inv(*here, *east)[2]), float(geod.inv(*here, *south)[2])

    def pixel_area(self) -> float:
        """Area of a pixel in the middle, square metres."""
        across, down = self.pixel_metres()
        return across * down


@contextmanager
def gdal_env() -> Iterator[None]:
    """GDAL with bounded memory, no search of folders, no net, and no files beside inputs."""
    with rasterio.Env(
        **OFFLINE,
        GDAL_CACHEMAX=CACHE,
        GDAL_DISABLE_READDIR_ON_OPEN="EMPTY_DIR",
        GDAL_PAM_ENABLED="NO",
        GDAL_NUM_THREADS="1",
        CPL_LOG=os.devnull,
    ):
        yield


def file_of(path: str) -> str:
    """The .zip of what GDAL reads inside of one, else the file."""
    if not path.startswith(_PACKED):
        return path
    inside = path.removeprefix(_PACKED)
    ends = [found.end() - 1 for found in re.finditer(r"\.zip/", inside, re.IGNORECASE)]
    # A folder's name, too, may end so.
    return next((inside[:end] for end in ends if Path(inside[:end]).is_file()), inside)


def open_raster(path: str) -> Any:
    """Open a raster that can be mapped from.

    Raises
    ------
    InputError
        The file is missing, no raster, without a grid or on a turned one, or names other files.
    """
    plain = file_of(path)
    packed = plain != path
    if not Path(plain).is_file():
        raise InputError(f"{plain} is not there; name an existing file")
    virtual = not packed and is_virtual(Path(path))
    try:
        for source in sources_of(Path(path)) if virtual else ():
            _without_addresses(str(source), _open_pixels(str(source))).close()
        raster = rasterio.open(path, driver="VRT") if virtual else _open_pixels(path)
        _without_addresses(path, raster)
    except (RasterioError, UnicodeDecodeError) as error:
        foreign = None if packed or virtual else foreign_file(Path(path), TIFF)
        raise InputError(
            f"{path} is no raster but {foreign}" if foreign else
            f"{path} cannot be read as a raster ({error}); is it complete? Fetch it again"
        ) from error  # fmt: skip
    if raster.crs is None:
        points = len(raster.gcps[0])
        raster.close()
        if points:
            raise InputError(
                f"{path} has {points} ground control points and no grid, as ground range (GRD) "
                "products have; correct its terrain first (SNAP, pyroSAR), or take an RTC product "
                "or an export of Earth Engine"
            )
        raise InputError(
            f"{path} has no coordinate system; give it one (gdal_edit -a_srs), or export it again"
        )
    transform = raster.transform
    if not all(map(math.isfinite, transform)):
        raster.close()
        raise InputError(
            f"{path} has no place on the ground (geotransform {tuple(transform)[:6]}); is it "
            "complete? Fetch it again"
        )
    if abs(transform.b) > 0 or abs(transform.d) > 0 or transform.a <= 0 or transform.e >= 0:
        raster.close()
        raise InputError(
            f"{path} lies on a turned grid (geotransform {tuple(transform)[:6]}); warp it to north "
            "up (gdalwarp -t_srs) first"
        )
    return raster


def _open_pixels(path: str) -> Any:
    """Open a file by the drivers of such files alone: some others fetch what the file names."""
    first, second = ("JP2OpenJPEG", "GTiff") if path.endswith(".jp2") else ("GTiff", "JP2OpenJPEG")
    try:
        return rasterio.open(path, driver=first)
    except RasterioError as error:
        try:
            return rasterio.open(path, driver=second)
        except RasterioError:
            raise error from None


def _without_addresses(path: str, raster: Any) -> Any:
    """Refuse a raster whose metadata name its overviews: GDAL would fetch them, in any form."""
    # Texts that are no UTF-8 are met here rather than where they are used.
    spaces, _, _ = raster.tag_namespaces(), raster.tags(), raster.descriptions
    if any(name.upper() in _ELSEWHERE for name in spaces):
        raster.close()
        raise InputError(
            f"{path} says that its overviews lie in another file; copy the pixels alone "
            "(gdal_translate -nomd)"
        )
    return raster


def grid_of(raster: Any) -> Grid:
    """Grid of an open raster."""
    try:
        epsg = raster.crs.to_epsg(confidence_threshold=90)
    except CRSError:
        epsg = None
    return Grid(
        crs=f"EPSG:{epsg}" if epsg else raster.crs.to_wkt(),
        left=raster.transform.c,
        top=raster.transform.f,
        across=raster.transform.a,
        down=-raster.transform.e,
        width=raster.width,
        height=raster.height,
    )


def read_grid(path: str) -> Grid:
    """Grid of a file."""
    with open_raster(path) as raster:
        return grid_of(raster)


@contextmanager
def readable(path: str) -> Iterator[None]:
    """Say which file could not be read to its end.

    Raises
    ------
    InputError
        In place of what GDAL raises.
    """
    try:
        yield
    except RasterioIOError as error:
        reason = error.__cause__ or error
        raise InputError(
            f"{path} is truncated or damaged ({reason}); fetch it again, and run again"
        ) from error
