"""Asks a bundle about the patches of a scene."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from landslip.bundle.ensemble import Ensemble
from landslip.io.files import InputError
from landslip.scene.checks_channels import TrainingReference, check_channels
from landslip.scene.interpreter import ChannelConventions
from landslip.scene.layers import CHANNELS, SENSORS
from landslip.scene.tiles import Predict

# Reflectance x 1e4 by which open water is brighter in one band than in another, or it is alike.
_BRIGHTER = 20.0


def predict_with(ensemble: Ensemble, **question: Any) -> Predict:
    """What asks a bundle about patches of a scene; channels that it does not read are left.

    Nothing is refused: what a patch of a map holds, the scene was judged by (`check_channels`).

    Parameters
    ----------
    ensemble
        The bundle.
    **question
        How it is asked; see `landslip.bundle.ensemble.Ensemble.predict`.
    """

    def predict(patches: NDArray[np.float32], channels: Sequence[str]) -> Any:
        places, read = read_as(ensemble, channels)
        # A copy of hundreds of patches is as large as they are.
        own = patches if len(places) == len(channels) else patches[:, places]
        return ensemble.predict(own, read, misread="accept", **question)

    return predict


def read_as(ensemble: Ensemble, channels: Sequence[str]) -> tuple[list[int], list[str]]:
    """Places of the channels that a bundle reads, and the names under which it knows them."""
    known = {channel.name for channel in ensemble.channels}
    named = {"red": "blue", "blue": "red"} if is_exchanged(ensemble) else {}
    called = [named.get(name, name) for name in channels]
    places = [at for at, name in enumerate(called) if name in known]
    return places, [called[at] for at in places]


def is_exchanged(ensemble: Ensemble) -> bool:
    """Whether the training's channel `red` holds the blue band, and `blue` the red one.

    Notes
    -----
    Open water is brighter in blue than in red, whatever sun and haze. Where the training has no
    water, the names are believed. The competition's patches are exchanged.
    """
    water = ensemble.record["distributions"]["quantiles"]["water"]
    red, blue = water.get("red"), water.get("blue")
    if not red or not blue:
        return False
    return bool(red[len(red) // 2] > blue[len(blue) // 2] + _BRIGHTER)


def conventions_of(ensemble: Ensemble) -> ChannelConventions:
    """What a bundle's channels are, as far as scenes are held against it.

    Raises
    ------
    InputError
        It reads none of the channels that scenes give, or radar in another unit than dB.
    """
    names = [channel.name for channel in ensemble.channels]
    if not set(names) & set(CHANNELS):
        raise InputError(
            f"the bundle reads {', '.join(names)}; scenes give {', '.join(CHANNELS)}: it cannot "
            "map one"
        )
    conventions: dict[str, Any] = dict(ensemble.conventions)
    scale = conventions.get("radar_scale")
    if scale not in (None, "dB"):
        raise InputError(f"the bundle reads radar as {scale}; scenes are mapped in dB")
    offset = conventions.get("reflectance_offset")
    places, called = read_as(ensemble, CHANNELS)
    training = TrainingReference(
        record=ensemble.record,
        recipe=ensemble.recipe,
        called={CHANNELS[at]: name for at, name in zip(places, called, strict=True)},
    )
    return ChannelConventions(
        channels=names,
        reflectance_offset=1000.0 if offset is None else float(offset),
        terrain_flattened=bool(conventions.get("terrain_flattened")),
        radar_composite=conventions.get("radar_composite") or "median",
        check_channels=partial(check_channels, training=training),
    )


def sensor_names(ensemble: Ensemble) -> dict[str, str]:
    """A scene's sensors -> the bundle's names of them, found by a channel of each that it reads."""
    places, called = read_as(ensemble, CHANNELS)
    own = {channel.name: channel.sensor for channel in ensemble.channels}
    found = {CHANNELS[at]: own[name] for at, name in zip(places, called, strict=True)}
    return {
        sensor: next(found[channel] for channel in channels if channel in found)
        for sensor, channels in SENSORS.items()
        if not found.keys().isdisjoint(channels)
    }


def patch_side(ensemble: Ensemble) -> int:
    """Rows and columns of the bundle's patches.

    Raises
    ------
    InputError
        They are no squares.
    """
    rows, columns = ensemble.size
    if rows != columns:
        raise InputError(f"the bundle's patches have {rows} x {columns} pixels; maps need squares")
    return int(rows)
