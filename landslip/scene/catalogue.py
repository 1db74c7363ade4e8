"""STAC items on disk: which asset is which band, and what offset their values carry."""

from __future__ import annotations

import datetime
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any, NotRequired, Required

from pydantic import AfterValidator, Field
from typing_extensions import TypedDict

from landslip.io.files import InputError
from landslip.io.ordinary_files import open_ordinary
from landslip.io.records import Number, parse_record
from landslip.scene.layers import Layer, OpticalLayers


def _day(time: str | None) -> str | None:
    """A time whose first ten letters are a day."""
    if time:
        datetime.date.fromisoformat(time[:10])
    return time


_Scale = Annotated[float, Field(ge=1e-9, le=1e9)] | None
_Offset = Annotated[float, Field(ge=-1e9, le=1e9)] | None
_Time = Annotated[str | None, AfterValidator(_day)]

# What is read of an item; of keys with a colon no class can be written.
_Band = TypedDict(
    "_Band",
    {"scale": _Scale, "offset": _Offset, "raster:scale": _Scale, "raster:offset": _Offset},
    total=False,
)
_Asset = TypedDict(
    "_Asset",
    {"href": Required[str], "raster:bands": list[_Band], "bands": list[_Band]},
    total=False,
)
_Properties = TypedDict(
    "_Properties",
    {
        "datetime": _Time, "start_datetime": _Time, "s2:processing_baseline": str | Number | None,
        "processing:version": str | Number | None,
    },
    total=False,
)  # fmt: skip


class _Item(TypedDict):
    assets: dict[str, _Asset]
    properties: NotRequired[_Properties]


_NAMES = {
    "red": ("red", "B04"),
    "green": ("green", "B03"),
    "blue": ("blue", "B02"),
    "nir": ("nir", "B08"),
}
# Since this baseline products carry 1000 more, so that dark pixels may be negative.
_SHIFTED = 4.0


def read_item(path: Path) -> OpticalLayers:
    """Layers of a Sentinel-2 L2A item of Earth Search, Planetary Computer or another catalogue.

    Notes
    -----
    The processing baseline decides on the offset; Earth Search's older collection took it off
    (`earthsearch:boa_offset_applied`). Its `raster:bands.offset` was seen to contradict both, so
    it counts only where no baseline is known.

    Raises
    ------
    InputError
        No item, or an asset is missing or not on this machine.
    """
    item = _read(path)
    properties, assets = item.get("properties", {}), item.get("assets", {})
    stated = properties.get("s2:processing_baseline") or properties.get("processing:version")
    baseline = str(stated) if stated else None
    bands = {}
    source = "no metadata"
    for name, keys in _NAMES.items():
        key = _key_of(assets, keys, path)
        add, source = _offset(assets[key], properties, baseline)
        bands[name] = Layer(
            file=_local(path, key, assets[key]),
            unit="reflectance_1e4",
            add=add,
            nodata=0.0,
        )
    scl = next((key for key in ("scl", "SCL") if key in assets), None)
    day = properties.get("datetime") or properties.get("start_datetime")
    return OpticalLayers(
        bands=bands,
        scl=None if scl is None else Layer(file=_local(path, scl, assets[scl]), unit="classes"),
        date=day[:10] if day else None,
        baseline=baseline,
        offset_source=source,
    )


def _read(path: Path) -> dict[str, Any]:
    remedy = "name a STAC item, not a collection or catalogue, or fetch it again"
    try:
        with open_ordinary(path) as file:
            content = file.read()
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}); name a STAC item") from error
    item: dict[str, Any] = parse_record(content, _Item, path, remedy)
    return item


def _key_of(assets: dict[str, Any], keys: tuple[str, ...], path: Path) -> str:
    for key in keys:
        if key in assets:
            return key
    raise InputError(f"{path} has no asset {' or '.join(keys)}; it has {', '.join(assets)}")


def _offset(
    asset: dict[str, Any], properties: dict[str, Any], baseline: str | None
) -> tuple[float, str]:
    """What is to be added to the values, and who says so."""
    if baseline is not None:
        try:
            number = float(baseline)
        except ValueError:
            number = _SHIFTED
        if number < _SHIFTED:
            return 0.0, f"baseline {baseline}"
        if properties.get("earthsearch:boa_offset_applied"):
            return 0.0, "earthsearch:boa_offset_applied"
        return -1000.0, f"baseline {baseline}"
    described = (asset.get("raster:bands") or asset.get("bands") or [{}])[0]
    scale = described.get("scale", described.get("raster:scale"))
    offset = described.get("offset", described.get("raster:offset"))
    if scale and offset is not None:
        return float(round(offset / scale)), "raster:bands"
    return 0.0, "no metadata"


def _local(path: Path, key: str, asset: dict[str, Any]) -> str:
    """The asset's file: where the item says, or of that name beside the item."""
    href = str(asset.get("href", ""))
    # Signed addresses, as of Planetary Computer, end in a query that no file's name has.
    where = Path(href.split("?")[0].removeprefix("file://"))
    with suppress(OSError):  # a name that no file can have
        for candidate in (path.parent / where, path.parent / where.name):
            if "://" not in str(candidate).removeprefix("file://") and candidate.is_file():
                return str(candidate)
    raise InputError(
        f"{path}: the asset {key} ({href}) is no file of this machine; download it and lay it "
        "beside the item"
    )
