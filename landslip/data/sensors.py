"""Which sensors have data in a patch, and which channels come from them."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

# Between the names of sensors.
_AND = "+"


def lacks_data(
    low: NDArray[np.float32],
    high: NDArray[np.float32],
    missing: NDArray[np.int64],
    pixels: int,
    least_data: float,
) -> NDArray[np.bool_]:
    """Which channels say nothing of a patch; each takes its sensor with it.

    Parameters
    ----------
    low, high : (..., channel)
        Least and greatest pixel with data, NaN where there is none. Where they are equal, the
        channel is constant, and has no data.
    missing : (..., channel)
        Pixels without data.
    pixels
        Of a channel.
    least_data
        Share of them that must hold data.

    Returns
    -------
    (..., channel)
    """
    lacking: NDArray[np.bool_] = ~(low < high) | (missing / pixels > 1 - least_data)
    return lacking


def lacking_sensors(
    lacking: NDArray[np.bool_], sensor: Mapping[str, str]
) -> tuple[list[str], NDArray[np.bool_]]:
    """Sensors, each once, and which of them a patch lacks.

    Parameters
    ----------
    lacking : (n, channel)
        See `lacks_data`.
    sensor
        Channel -> its sensor, in the order of the channels.

    Returns
    -------
    sensors, (n, sensor)
        One that lacks any of its channels is missing.
    """
    sensors = list(dict.fromkeys(sensor.values()))
    of = np.array(list(sensor.values()))
    return sensors, np.stack([lacking[:, of == name].any(axis=1) for name in sensors], axis=1)


def join_sensors(names: Iterable[str]) -> str:
    """Names of sensors as one text; none of them holds the sign between them."""
    return _AND.join(names)


def split_sensors(text: str) -> list[str]:
    """What `join_sensors` joined."""
    return text.split(_AND) if text else []


def sensors_of(
    channels: Iterable[str], sensor: Mapping[str, str], indices: Mapping[str, Sequence[str]]
) -> list[str]:
    """Sensors that channels come from, each once, in the order of `sensor`.

    Parameters
    ----------
    channels
        Of the store: those of the patches, and indices.
    sensor
        Channel of the patches -> its sensor.
    indices
        Index -> the channels that it is of.
    """
    needed = {sensor[part] for name in channels for part in indices.get(name, [name])}
    return [name for name in dict.fromkeys(sensor.values()) if name in needed]


def missing_channels(
    channels: Iterable[str],
    missing: Iterable[str],
    sensor: Mapping[str, str],
    indices: Mapping[str, Sequence[str]],
) -> list[str]:
    """Of some channels, those that a missing sensor has a part in.

    Parameters
    ----------
    channels
        See `sensors_of`.
    missing
        Sensors.
    sensor, indices
        See `sensors_of`.
    """
    gone = set(missing)
    return [n for n in channels if any(sensor[part] in gone for part in indices.get(n, [n]))]
