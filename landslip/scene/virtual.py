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
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        raise InputError(f"{path} is no whole VRT ({error}); fetch it again") from error
    found = []
    for element in root.iter():
        if "subClass" in element.attrib or element.tag in ("SourceDataset", "OverviewFile"):
            kind = element.get("subClass", element.tag)
            raise InputError(f"{path} is no plain mosaic: it holds {kind!r:.40}; {_AGAIN}")
        if element.tag == "SourceFilename":
            name = (element.text or "").strip()
            relative = element.get("relativeToVRT") == "1"
            source = path.parent / name if relative else Path(name)
            if not name or not source.is_file():
                raise InputError(f"{path} names {name!r:.120}, which is no file; {_AGAIN}")
            found.append(source)
    return found
