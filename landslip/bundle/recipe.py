"""How patches become what members read, as a bundle says it."""

from collections.abc import Mapping
from dataclasses import dataclass

from landslip.bundle.record import BundleRecord
from landslip.data.nodata import NoData, zero_groups
from landslip.data.units import UnitRange


@dataclass(frozen=True)
class Recipe:
    """How patches become what members read."""

    channels: tuple[str, ...]
    """Of the patches, in the order of the store."""
    sensor: Mapping[str, str]
    """Channel of the patches -> its sensor."""
    indices: Mapping[str, tuple[str, str]]
    units: Mapping[str, UnitRange]
    """Channel -> what its values look like."""
    unit_of: Mapping[str, str]
    """Channel -> the name of its unit."""
    no_data: NoData
    size: tuple[int, int]
    """Rows and columns."""

    @classmethod
    def of(cls, record: BundleRecord) -> "Recipe":
        """That of a bundle."""
        channels = record["channels"]
        quantities = {channel["name"]: channel["quantity"] for channel in channels}
        return cls(
            channels=tuple(quantities),
            sensor={channel["name"]: channel["sensor"] for channel in channels},
            indices={name: (first, second) for name, (first, second) in record["indices"].items()},
            units={
                channel["name"]: UnitRange(
                    channel["plausible"], channel["magnitude"], channel["quantity"]
                )
                for channel in channels
            },
            unit_of={channel["name"]: channel["unit"] for channel in channels},
            no_data=NoData(
                plausible=[channel["plausible"] for channel in channels],
                values=[channel["nodata"] for channel in channels],
                zeros=[] if record["keep_zeros"] else zero_groups(quantities),
            ),
            size=(record["rows"], record["columns"]),
        )

    @property
    def names(self) -> list[str]:
        """Channels of the images: those of the patches, then the indices."""
        return [*self.channels, *self.indices]

    @property
    def unit_names(self) -> list[str]:
        """Of the channels of the patches, in order."""
        return [self.unit_of[name] for name in self.channels]

    @property
    def unit_ranges(self) -> dict[str, UnitRange]:
        """Unit -> what its values look like."""
        return {self.unit_of[name]: self.units[name] for name in self.channels}

    @property
    def sensors(self) -> list[str]:
        """Each once, in the order of the channels."""
        return list(dict.fromkeys(self.sensor.values()))
