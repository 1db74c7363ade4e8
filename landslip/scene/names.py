"""What the names of radar products say; no pixel is read."""

import datetime
import re
from dataclasses import dataclass
from pathlib import Path

# ASF, "RTC product guide": S1x_yy_<start>_ppo_RTCzz_u_defklm_ssss
_HYP3 = re.compile(
    r"(?P<platform>S1[A-D])_(?:IW|EW|S\d)_(?P<start>\d{8}T\d{6})_[SD][HV][PRO]"
    r"_RTC(?P<spacing>\d+)_[GS]_(?P<radiometry>[gs])(?P<scale>[pda])[uw][nf][ec][md]"
    r"_[0-9A-F]{4}_(?P<layer>VV|VH|HH|HV|ls_map)"
)
# JPL D-108758, "OPERA RTC-S1 product specification"
_OPERA = re.compile(
    r"OPERA_L2_RTC-S1_T(?P<track>\d{3})-\d+-IW\d_(?P<start>\d{8}T\d{6})Z_\d{8}T\d{6}Z"
    r"_(?P<platform>S1[A-D])_(?P<spacing>\d+)_v[\d.]+_(?P<layer>VV|VH|HH|HV|mask)"
)
_GRD = re.compile(r"(?P<platform>S1[A-D])_(?:IW|EW|S\d)_GRD[A-Z]?_\w+|s1[a-d]-(?:iw|ew)-grd-")
_TIMES = re.compile(r"(?<!\d)(\d{8}T\d{6}|\d{8}|\d{4}-\d{2}-\d{2})(?!\d)")
_POLARISATION = re.compile(r"(?<![A-Za-z])(vv|vh)(?![A-Za-z])", re.IGNORECASE)
_UNITS = {"p": "power", "d": "db", "a": "amplitude"}


@dataclass(frozen=True, kw_only=True)
class RadarName:
    """What the name of one file of a radar product says; None where it does not."""

    product: str
    """hyp3, opera, grd or other."""
    layer: str | None = None
    """VV, VH, ls_map or mask."""
    platform: str | None = None
    start: datetime.datetime | None = None
    """Start of the acquisition, UTC."""
    timed: bool = False
    """The name gives the time of day, not the day alone."""
    unit: str | None = None
    radiometry: str | None = None
    relative_orbit: int | None = None
    spacing: float | None = None
    """Metres."""


def read_radar_name(path: str | Path) -> RadarName:
    """Read the name of a radar file, whatever its folder."""
    name = Path(path).name
    if found := _HYP3.match(name):
        return RadarName(
            product="hyp3",
            layer=found["layer"],
            platform=found["platform"],
            start=_time(found["start"]),
            timed=True,
            unit=_UNITS[found["scale"]],
            radiometry="gamma0" if found["radiometry"] == "g" else "sigma0",
            spacing=float(found["spacing"]),
        )
    if found := _OPERA.match(name):
        return RadarName(
            product="opera",
            layer=found["layer"],
            platform=found["platform"],
            start=_time(found["start"]),
            timed=True,
            unit="power",
            radiometry="gamma0",
            relative_orbit=int(found["track"]),
            spacing=float(found["spacing"]),
        )
    times = _TIMES.findall(name)
    # Of several days one may be that of an export, or the images those of a mosaic.
    times = times if len({time.replace("-", "")[:8] for time in times}) == 1 else []
    polarisation = _POLARISATION.findall(name.replace("_", " "))
    platform = re.search(r"(?<![A-Za-z])S1[A-D](?![A-Za-z])", name.replace("_", " "))
    return RadarName(
        product="grd" if _GRD.match(name) else "other",
        layer=polarisation[-1].upper() if polarisation else None,
        platform=platform[0] if platform else None,
        start=_time(times[0]) if times else None,
        timed=bool(times) and "T" in times[0],
    )


def sibling(path: str | Path, layer: str) -> Path:
    """The file of another layer of the same product, by the name: `..._VV.tif` -> `..._VH.tif`."""
    path = Path(path)
    found = list(re.finditer(r"(VV|VH|vv|vh)", path.stem))
    if not found:
        return path
    at = found[-1]
    text = layer.lower() if at[0].islower() and layer in ("VV", "VH") else layer
    return path.with_name(path.stem[: at.start()] + text + path.stem[at.end() :] + path.suffix)


def solar_hour(start: datetime.datetime, longitude: float) -> float:
    """Local solar time of an acquisition in hours, 0 to 24.

    Parameters
    ----------
    start : UTC
    longitude : degrees east
    """
    hours = start.hour + start.minute / 60 + start.second / 3600
    return (hours + longitude / 15) % 24


def orbit_by_hour(hour: float) -> str:
    """The orbit that passes at a local solar time.

    Sentinel-1 flies a dawn-dusk orbit: it crosses the equator at 18 h ascending and at 6 h
    descending.
    """
    return "ascending" if abs((hour - 18 + 12) % 24 - 12) < 6 else "descending"


def _time(text: str) -> datetime.datetime | None:
    text = text.replace("-", "")
    try:
        if "T" in text:
            return datetime.datetime.strptime(text, "%Y%m%dT%H%M%S")
        return datetime.datetime.strptime(text, "%Y%m%d")
    except ValueError:
        return None
