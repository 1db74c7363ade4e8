"""Layers of a scene: which band of which file holds what, and how its values are to be read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

OPTICAL = ("red", "green", "blue", "nir")
POLARISATIONS = ("vv", "vh")
SIDES = ("before", "after")
SHORT = {"descending": "desc", "ascending": "asc"}
RADAR = tuple(
    f"{SHORT[orbit]}_{change}{polarisation}"
    for orbit in SHORT
    for change in ("", "diff_")
    for polarisation in POLARISATIONS
)
CHANNELS = OPTICAL + RADAR
SENSORS = {
    "optical": OPTICAL,
    **{orbit: tuple(n for n in RADAR if n.startswith(SHORT[orbit])) for orbit in SHORT},
}
"""Sensor -> its channels, which come or are missing together."""


@dataclass(frozen=True, kw_only=True)
class Layer:
    """One band of one file, and what its values mean."""

    file: str
    """As GDAL opens it."""
    band: int = 1
    unit: Literal["reflectance_1e4", "power", "amplitude", "db", "classes", "unknown"]
    add: float = 0.0
    """Reflectance x 1e4 = (value + add) * gain."""
    gain: float = 1.0
    nodata: float | None = None
    """Value without data, beside the one that the file declares."""


@dataclass(frozen=True, kw_only=True)
class OpticalLayers:
    """Sentinel-2 after the event."""

    bands: dict[str, Layer]
    """red, green, blue, nir."""
    scl: Layer | None = None
    date: str | None = None
    """ISO 8601 day."""
    baseline: str | None = None
    offset_source: str = "no metadata"
    """Where scale and offset come from."""


@dataclass(frozen=True, kw_only=True)
class Look:
    """One acquisition of Sentinel-1."""

    vv: Layer
    vh: Layer
    layover: Layer | None = None
    clear: int = 1
    """Value of `layover` where there is neither layover nor shadow."""
    product: str = "other"
    time: str | None = None
    """ISO 8601, UTC; the day alone where no more is known."""
    platform: str | None = None
    relative_orbit: int | None = None
    radiometry: str | None = None
    spacing: float | None = None
    """Metres, as the product's name has it."""
    unit_source: str = "nobody"
    contradictions: dict[str, str] = field(default_factory=dict)
    """Check -> what the scene file and the product's name say of it, where that is not the same."""

    @property
    def day(self) -> str | None:
        """ISO 8601 day."""
        return None if self.time is None else self.time[:10]


@dataclass(frozen=True, kw_only=True)
class Layers:
    """All that a scene names, resolved to bands of files."""

    name: str
    event: str
    """ISO 8601 day."""
    optical: OpticalLayers | None = None
    radar: dict[str, dict[str, list[Look]]] = field(default_factory=dict)
    """Orbit -> before, after -> acquisitions."""

    @property
    def looks(self) -> list[Look]:
        """All acquisitions."""
        return [look for sides in self.radar.values() for side in SIDES for look in sides[side]]

    @property
    def channels(self) -> list[str]:
        """Channels that the scene can give, in the order of CHANNELS."""
        given = [SHORT[orbit] for orbit in self.radar]
        return [
            name
            for name in CHANNELS
            if (name in OPTICAL and self.optical is not None) or name.split("_")[0] in given
        ]

    @property
    def files(self) -> list[str]:
        """All files, each once."""
        layers: list[Layer] = []
        if self.optical is not None:
            layers += self.optical.bands.values()
            layers += [self.optical.scl] if self.optical.scl else []
        for look in self.looks:
            layers += [look.vv, look.vh, *([look.layover] if look.layover else [])]
        return list(dict.fromkeys(layer.file for layer in layers))
