"""What a `scene.yaml` may say: every key typed, described and checked here.

`read_scene` reads one. Paths in it are relative to the folder that it stands in; they may hold `~`
and `$NAME`, where what they then name is there.
"""

import datetime
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    ValidationError,
    ValidationInfo,
    model_validator,
)

from landslip.config.errors import explain
from landslip.config.files import read_config_file
from landslip.io.files import InputError
from landslip.io.paths import expand_path, takes_from_environment
from landslip.io.section import Section

RadarUnit = Literal["power", "amplitude", "db"]
Radiometry = Literal["sigma0", "gamma0"]
Orbit = Literal["descending", "ascending"]
Check = Literal[
    "offset", "bands", "unit", "radiometry", "pairs", "looks", "zeros", "spacing", "resampling",
    "anisotropy", "dates", "season", "orbit", "overlap", "size", "missing",
    "channels",
]  # fmt: skip
ORBITS: tuple[Orbit, ...] = get_args(Orbit)


def _expanded(text: str, info: ValidationInfo) -> str:
    """The path, whose variables may put nothing in that no file is called.

    A scene file may be somebody else's, and a message that the file is not there would show what a
    variable of this environment holds, such as a password.
    """
    path = expand_path(text)
    folder = Path((info.context or {}).get("folder", "."))
    if takes_from_environment(text) and not os.path.exists(folder / path):
        raise ValueError(f"there is no such file, with its variables put in; got {text!r}")
    return path


ScenePath = Annotated[str, AfterValidator(_expanded)]
"""A path that may be relative to the scene file's folder."""


def _file_alone(value: Any) -> Any:
    """A path alone stands for a section with just this file."""
    return {"file": value} if isinstance(value, str) else value


class Band(Section):
    """One band of one raster file that GDAL can open."""

    file: ScenePath = Field(description="GeoTIFF, VRT or JPEG 2000")
    band: int = Field(1, ge=1, description="which band of the file")


BandOrFile = Annotated[Band, BeforeValidator(_file_alone)]


class Bands(Section):
    red: BandOrFile
    green: BandOrFile
    blue: BandOrFile
    nir: BandOrFile


class Optical(Section):
    """Sentinel-2 L2A after the event; `safe`, `item` or `bands`, one of them."""

    safe: ScenePath | None = Field(None, description="SAFE folder, or its .zip")
    item: ScenePath | None = Field(
        None, description="STAC item, a JSON file whose assets are files of this machine"
    )
    bands: Bands | None = Field(None, description="or each band's file")
    scl: BandOrFile | None = Field(
        None, description="scene classification; a SAFE folder and an item bring their own"
    )
    date: datetime.date | None = Field(None, description="of acquisition, for `bands`")
    scale: float | None = Field(
        None, gt=0, description="reflectance = value * scale + offset; overrides metadata"
    )
    offset: float | None = Field(None, description="of reflectance: -0.1 since baseline 04.00")
    nodata: float | None = Field(None, description="value without data where no file declares it")

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        given = [name for name in ("safe", "item", "bands") if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"expected one of safe, item and bands; got {given or 'none'}")
        if self.offset is not None and self.scale is None:
            raise ValueError("offset is given and scale is not; give both")
        return self


class LookFiles(Section):
    """One acquisition of Sentinel-1: a product by its name, a file of two bands, or two files."""

    file: ScenePath | None = Field(
        None, description="HyP3 or OPERA file of VV (VH beside it), or a file with VV and VH"
    )
    vv: BandOrFile | None = None
    vh: BandOrFile | None = None
    layover: BandOrFile | None = Field(
        None, description="mask of layover and shadow, 1 where neither; a HyP3 map is found by name"
    )
    date: datetime.date | None = Field(None, description="of acquisition; names of products say it")
    unit: RadarUnit | None = Field(None, description="of the values; HyP3 and OPERA names say it")
    radiometry: Radiometry | None = Field(
        None, description="sigma0 as ground range products have it, or gamma0, terrain-flattened"
    )
    platform: str | None = Field(None, description="S1A, S1B, S1C or S1D")
    relative_orbit: int | None = Field(None, ge=1, le=175)
    nodata: float | None = Field(None, description="value without data where no file declares it")

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        both = self.vv is not None and self.vh is not None
        either = self.vv is not None or self.vh is not None
        if (self.file is None and not both) or (self.file is not None and either):
            raise ValueError("expected file, or vv and vh")
        return self


LookOrFile = Annotated[LookFiles, BeforeValidator(_file_alone)]


class Sides(Section):
    """Acquisitions of one relative orbit; the median of each side is taken in dB."""

    before: list[LookOrFile] = Field(min_length=1, description="within about 60 days")
    after: list[LookOrFile] = Field(min_length=1, description="within about 12 days")


class Radar(Section):
    descending: Sides | None = None
    ascending: Sides | None = None


class Align(Section):
    """How what lies on another grid is brought to the scene's: only where this is given."""

    method: Literal["bilinear", "average", "cubic", "nearest"] = Field(
        "bilinear", description="masks are always taken by the nearest pixel"
    )


class Clouds(Section):
    exclude: list[Annotated[int, Field(ge=0, le=11)]] = Field(
        [0, 1, 3, 9, 10, 11],
        description="classes of SCL where the optical bands count as no data: no data, saturated, "
        "shadow, thick cloud, cirrus, snow. 8, thin cloud, is used: fresh scars look like it",
    )


class Placebo(Section):
    """Images of an earlier time without an event, for the rate of false alarms."""

    radar: Radar
    optical: Optical | None = Field(
        None,
        description="of that time; null: no optical image, because the scene's own shows the event",
    )
    event: datetime.date | None = Field(None, description="the day that stands for the event's")
    per_100km2: float | None = Field(
        None, gt=0, description="false alarms per 100 km2 that the threshold is to stay below"
    )


class Scene(Section):
    """The whole of a scene.yaml."""

    name: str = Field(min_length=1, description="shown on the page")
    event: datetime.date = Field(description="day of the event")
    area: ScenePath | None = Field(None, description="file of polygons; nothing outside is mapped")
    units: ScenePath | None = Field(
        None, description="file of administrative units, with a column `name`"
    )
    optical: Optical | None = None
    radar: Radar = Radar()
    align: Align | None = Field(None, description="null: other grids are refused")
    clouds: Clouds = Clouds()
    placebo: Placebo | None = None
    trust: dict[Check, str] = Field(
        {}, description="checks whose refusal is accepted on purpose, each with the reason"
    )
    simulated: bool = Field(
        False, description="the images were made by a program; pages of a training on them say so"
    )

    @model_validator(mode="after")
    def _sees_something(self) -> Self:
        if self.optical is None and not any(getattr(self.radar, orbit) for orbit in ORBITS):
            raise ValueError("no sensor is named; give optical, radar.descending or ascending")
        return self


def parse_scene(raw: Mapping[str, Any], source: str) -> Scene:
    """Check what a scene file says.

    Parameters
    ----------
    raw
        Its content.
    source
        Its path, to whose folder paths in it are relative.

    Raises
    ------
    InputError
        Every unknown key and impossible value, one a line, with the nearest valid name.
    """
    try:
        return Scene.model_validate(raw, context={"folder": Path(source).parent})
    except ValidationError as error:
        lines = [line for item in error.errors() for line in explain(item, Scene)]
        raise InputError(f"{source} is not valid:\n  " + "\n  ".join(lines)) from None


def read_scene(path: Path | str) -> Scene:
    """Read a scene file.

    Raises
    ------
    InputError
        It is absent, no YAML, or not as `Scene` has it.
    """
    return parse_scene(read_config_file(path), str(path))
