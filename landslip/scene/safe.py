"""Sentinel-2 L2A products in ESA's SAFE format, as a folder or a zip."""

from __future__ import annotations

import datetime
import math
import os
import re
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from landslip.data.foreign import ZIP, foreign_file
from landslip.io.files import InputError, readable_damage
from landslip.io.ordinary_files import open_ordinary
from landslip.scene.layers import Layer, OpticalLayers

# band_id of BOA_ADD_OFFSET (Sentinel-2 Products Specification Document, psd-14)
BANDS = {"blue": ("B02", "1"), "green": ("B03", "2"), "red": ("B04", "3"), "nir": ("B08", "7")}
_METADATA = re.compile(r"MTD_MSIL(1C|2A)\.xml", re.IGNORECASE)
_LARGEST = 64 << 20
_AGAIN = "fetch the product again"
# Others ask for memory by what stands in the file, and GDAL does not know them.
_PACKED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


def read_safe(path: Path) -> OpticalLayers:
    """Layers of a product, with quantification and offset from its metadata.

    Raises
    ------
    InputError
        No such product, or a band or the metadata is missing from it.
    """
    names, root = _listing(path)
    metadata = [name for name in names if re.search(r"(^|/)MTD_MSIL2A\.xml$", name, re.IGNORECASE)]
    if not metadata:
        level = [name for name in names if re.search(r"(^|/)MTD_MSIL1C\.xml$", name)]
        raise InputError(
            f"{path} is a Level-1C product; take Level-2A" if level else
            f"{path} holds no MTD_MSIL2A.xml; name the folder that ends in .SAFE, or its zip"
        )  # fmt: skip
    metadata_values = read_metadata(_text(path, metadata[0]), f"{path}/{metadata[0]}")
    bands = {
        name: Layer(
            file=root + _only(path, names, band, 10),
            unit="reflectance_1e4",
            add=metadata_values["offsets"].get(number, 0.0),
            gain=1e4 / metadata_values["quantification"],
            nodata=metadata_values["nodata"],
        )
        for name, (band, number) in BANDS.items()
    }
    scl = _only(path, names, "SCL", 20)
    return OpticalLayers(
        bands=bands,
        scl=Layer(file=root + scl, unit="classes"),
        date=metadata_values["date"],
        baseline=metadata_values["baseline"],
        offset_source="MTD_MSIL2A.xml",
    )


def read_metadata(text: bytes, where: str) -> dict[str, Any]:
    """Quantification, offsets by band_id, nodata, baseline and day of MTD_MSIL2A.xml.

    Raises
    ------
    InputError
        It is not XML, says no quantification, or holds what is no number or day.
    """
    with readable_damage(where, _AGAIN, also=(ElementTree.ParseError,)):
        tree = ElementTree.fromstring(text)
        quantification = tree.findtext(".//BOA_QUANTIFICATION_VALUE")
        # Baselines before 02.08 or so call it otherwise.
        quantification = quantification or tree.findtext(".//L2A_BOA_QUANTIFICATION_VALUE")
        if quantification is None:
            raise InputError(f"{where} says no BOA_QUANTIFICATION_VALUE; {_AGAIN}")
        special = {
            item.findtext("SPECIAL_VALUE_TEXT"): item.findtext("SPECIAL_VALUE_INDEX")
            for item in tree.iterfind(".//Special_Values")
        }
        sensed = tree.findtext(".//DATATAKE_SENSING_START") or tree.findtext(
            ".//PRODUCT_START_TIME"
        )
        scale = _number(quantification)
        if scale <= 0:
            raise ValueError(f"BOA_QUANTIFICATION_VALUE is {quantification}")
        return {
            "quantification": scale,
            "offsets": {
                item.get("band_id"): _number(item.text or "0")
                for item in tree.iterfind(".//BOA_ADD_OFFSET")
            },
            "nodata": _number(special.get("NODATA") or "0"),
            "baseline": tree.findtext(".//PROCESSING_BASELINE"),
            "date": sensed and datetime.date.fromisoformat(sensed[:10]).isoformat(),
        }


def _number(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text} is not finite")
    return value


def product_files(folder: Path) -> list[Path]:
    """Files of a product's folder; none where its metadata lie neither in it nor one level below.

    Somebody may name a home folder or a disk, which is not to be walked through.
    """
    with suppress(OSError):
        near = [folder, *(each for each in folder.iterdir() if each.is_dir())]
        if any(_METADATA.fullmatch(name) for each in near for name in os.listdir(each)):
            return sorted(file for file in folder.rglob("*") if not file.is_dir())
    return []


def _listing(path: Path) -> tuple[list[str], str]:
    """Names of the files in a product, and what comes before a name for GDAL."""
    if path.is_dir():
        return [os.path.relpath(file, path) for file in product_files(path)], f"{path}/"
    if not path.is_file():
        raise InputError(f"{path} is not there, or no file; name a SAFE folder or its zip")
    if not zipfile.is_zipfile(path) and (foreign := foreign_file(path, ZIP)):
        raise InputError(f"{path} is no .zip but {foreign}")
    with readable_damage(path, _AGAIN), zipfile.ZipFile(path) as archive:
        return sorted(archive.namelist()), f"/vsizip/{path}/"


def _text(path: Path, name: str) -> bytes:
    if path.is_dir():
        try:
            with open_ordinary(path / name) as file:
                return file.read()
        except OSError as error:
            raise InputError(f"{path / name} cannot be read ({error.strerror})") from error
    with readable_damage(path, _AGAIN), zipfile.ZipFile(path) as archive:
        entry = archive.getinfo(name)
        if entry.file_size > _LARGEST:
            raise InputError(f"{path}: {name} is larger than 64 MB; is it a SAFE product?")
        if entry.compress_type not in _PACKED:
            raise InputError(f"{path}: {name} is packed in another way than by deflate; unpack it")
        return archive.read(entry)


def _only(path: Path, names: list[str], band: str, metres: int) -> str:
    pattern = rf"(^|/|_){band}_{metres}m\.(jp2|tiff?)$"
    found = [name for name in names if "IMG_DATA" in name and re.search(pattern, name)]
    if len(found) != 1:
        raise InputError(
            f"{path}: expected one image of {band} at {metres} m (IMG_DATA/R{metres}m/*_{band}_"
            f"{metres}m.jp2), found {len(found)}; {_AGAIN}"
        )
    return found[0]
