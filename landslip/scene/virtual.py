"""Virtual rasters (VRT): XML that names other files, of which only plain mosaics are read.

A VRT may name addresses on the net, any file of this machine as raw pixels, and Python code.
"""

from pathlib import Path
from xml.etree import ElementTree

from landslip.io.files import InputError
from landslip.io.ordinary_files import open_ordinary

_HEAD = 4096  # bytes, in which GDAL looks for the root element
_MOST = 16 << 20
_AGAIN = "make a mosaic of GeoTIFFs with gdalbuildvrt, or a GeoTIFF of it with gdal_translate"
# What gdalbuildvrt and gdal_translate write, as they write it: GDAL takes names in any capitals.
_ELEMENTS = {
    "VRTDataset", "SRS", "GeoTransform", "Metadata", "MDI", "OverviewList", "VRTRasterBand",
    "MaskBand", "Description", "UnitType", "Offset", "Scale", "NoDataValue", "HideNoDataValue",
    "ColorInterp", "ColorTable", "Entry", "CategoryNames", "Category", "Histograms", "HistItem",
    "HistMin", "HistMax", "BucketCount", "IncludeOutOfRange", "Approximate", "HistCounts",
    "SimpleSource", "ComplexSource", "AveragedSource", "SourceFilename", "SourceBand",
    "SourceProperties", "SrcRect", "DstRect", "NODATA", "UseMaskBand", "ScaleOffset", "ScaleRatio",
    "LUT",
}  # fmt: skip
_ATTRIBUTES = {
    "rasterXSize", "rasterYSize", "dataAxisToSRSAxisMapping", "coordinateEpoch", "domain", "key",
    "resampling", "dataType", "band", "blockXSize", "blockYSize", "c1", "c2", "c3", "c4",
    "relativeToVRT", "shared", "RasterXSize", "RasterYSize", "DataType", "BlockXSize",
    "BlockYSize", "xOff", "yOff", "xSize", "ySize",
}  # fmt: skip


def is_virtual(path: Path) -> bool:
    """Whether GDAL takes a file for a VRT."""
    with open_ordinary(path) as file:
        return b"<VRTDataset" in file.read(_HEAD)


def with_sources(path: Path) -> list[Path]:
    """A file and, of a plain mosaic, those that it names.

    Of what is not there, or is refused when it is opened as a raster, itself alone.
    """
    try:
        return [path, *(sources_of(path) if is_virtual(path) else [])]
    except (InputError, OSError):
        return [path]


def sources_of(path: Path) -> list[Path]:
    """Files that a VRT names.

    Raises
    ------
    InputError
        It is no XML, larger than a mosaic's can be, more than a plain mosaic, or names what is no
        file.
    """
    with open_ordinary(path) as file:
        text = file.read(_MOST + 1)
    if len(text) > _MOST:
        raise InputError(f"{path} is larger than a VRT of a mosaic can be; {_AGAIN}")
    if b"<!DOCTYPE" in text:
        raise InputError(f"{path} is no plain mosaic: it defines entities; {_AGAIN}")
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        raise InputError(f"{path} is no whole VRT ({error}); fetch it again") from error
    found = []
    for element in root.iter():
        for name in (element.tag, *element.attrib):
            if name not in _ELEMENTS | _ATTRIBUTES:
                raise InputError(f"{path} is no plain mosaic: it holds {name!r:.40}; {_AGAIN}")
        if element.tag == "SourceFilename":
            found.append(_source(path, element))
    return found


def _source(path: Path, element: ElementTree.Element) -> Path:
    """The file that an element names."""
    name = (element.text or "").strip()
    relative = element.get("relativeToVRT", "0")
    # GDAL takes such names for addresses, whatever stands in the folder.
    address = "://" in name or name.startswith("/vsi")
    source = path.parent / name if relative == "1" else Path(name)
    if not name or address or len(element) or relative not in ("0", "1") or not source.is_file():
        raise InputError(f"{path} names {name!r:.120}, which is no file; {_AGAIN}")
    return source
