"""One Cloud-Optimized GeoTIFF from the tiles of a map."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from xml.etree import ElementTree

import rasterio
import rasterio.shutil

from landslip.io.files import InputError, write_text
from landslip.io.rasters import raster_in_memory
from landslip.io.temporaries import temporary_folder
from landslip.scene.cells import Cells, Tile, pixel_extent
from landslip.scene.rasters import Grid, gdal_env
from landslip.scene.tiles import NODATA, STEPS

_BANDS = ("probability, in steps of 1/250", "flags, bits: see FLAGS")


def write_mosaic(
    images: Sequence[Path],
    tiles: Sequence[Tile],
    grid: Grid,
    cells: Cells,
    tags: Mapping[str, str],
    target: Path,
) -> None:
    """Join tiles into one file with overviews.

    Parameters
    ----------
    images, tiles
        Files and places of all tiles of a map, in step.
    tags
        Kept in the file.

    Raises
    ------
    InputError
        A tile has another size than its place.
    """
    with gdal_env(), temporary_folder() as folder:
        view = folder / "map.vrt"
        write_text(view, virtual_raster(images, tiles, grid, cells, tags))
        with raster_in_memory(target) as memory:
            # Of flags only the nearest pixel means anything, and the driver knows one way.
            rasterio.shutil.copy(
                view, memory.name, driver="COG", COMPRESS="DEFLATE", BLOCKSIZE=512,
                RESAMPLING="NEAREST", OVERVIEWS="AUTO", BIGTIFF="IF_SAFER", NUM_THREADS=1,
            )  # fmt: skip


def virtual_raster(
    images: Sequence[Path],
    tiles: Sequence[Tile],
    grid: Grid,
    cells: Cells,
    tags: Mapping[str, str],
) -> str:
    """The tiles as one raster, in GDAL's VRT format."""
    root = ElementTree.Element(
        "VRTDataset", rasterXSize=str(grid.width), rasterYSize=str(grid.height)
    )
    _text(root, "SRS", rasterio.CRS.from_user_input(grid.crs).to_wkt())
    corners = (grid.left, grid.across, 0.0, grid.top, 0.0, -grid.down)
    _text(root, "GeoTransform", ", ".join(f"{value!r}" for value in corners))
    metadata = ElementTree.SubElement(root, "Metadata")
    for key, value in tags.items():
        item = ElementTree.SubElement(metadata, "MDI", key=key)
        item.text = value
    for number, description in enumerate(_BANDS, start=1):
        band = ElementTree.SubElement(root, "VRTRasterBand", dataType="Byte", band=str(number))
        _text(band, "Description", description)
        _text(band, "NoDataValue", str(NODATA))
        if number == 1:
            _text(band, "Offset", "0")
            _text(band, "Scale", repr(1 / STEPS))
        for path, tile in zip(images, tiles, strict=True):
            row, column, height, width = pixel_extent(cells, tile)
            with rasterio.open(path) as image:
                if image.shape != (height, width):
                    raise InputError(
                        f"{path} has {image.shape} pixels, expected {(height, width)}; delete it "
                        "and run again"
                    )
            source = ElementTree.SubElement(band, "SimpleSource")
            _text(source, "SourceFilename", str(path.resolve()), relativeToVRT="0")
            _text(source, "SourceBand", str(number))
            _rectangle(source, "SrcRect", 0, 0, height, width)
            _rectangle(source, "DstRect", row, column, height, width)
    return ElementTree.tostring(root, encoding="unicode")


def _text(parent: ElementTree.Element, name: str, text: str, **attributes: str) -> None:
    ElementTree.SubElement(parent, name, attributes).text = text


def _rectangle(
    parent: ElementTree.Element, name: str, row: int, column: int, height: int, width: int
) -> None:
    sides = {"xOff": column, "yOff": row, "xSize": width, "ySize": height}
    ElementTree.SubElement(parent, name, {key: str(value) for key, value in sides.items()})
