"""A bundle gets the bands that its training's channels held, whatever they are called."""

from types import SimpleNamespace
from typing import Any

import pytest

from landslip.io.files import InputError
from landslip.scene.ask import conventions_of, is_exchanged, patch_side, read_as
from landslip.scene.layers import CHANNELS


def bundle(water: dict[str, Any], **changes: Any) -> Any:
    """What is looked at of an ensemble."""
    said = {
        "channels": [SimpleNamespace(name=name) for name in ("nir", "blue", "red", "asc_vv")],
        "record": {"distributions": {"quantiles": {"water": water}}},
        "conventions": {"reflectance_offset": 1000, "radar_scale": "dB"},
        "size": (64, 64),
    }
    return SimpleNamespace(**{**said, **changes})


TRUE = {"red": [1200, 1250, 1300], "blue": [1400, 1500, 1600]}
EXCHANGED = {"red": TRUE["blue"], "blue": TRUE["red"]}


def test_open_water_tells_whether_red_and_blue_are_exchanged() -> None:
    assert not is_exchanged(bundle(TRUE))
    assert is_exchanged(bundle(EXCHANGED))
    # Where the training saw no water, or no such channels, the names are believed.
    assert not is_exchanged(bundle({"red": None, "blue": None}))
    assert not is_exchanged(bundle({}))


def test_an_exchanged_bundle_is_given_blue_as_red() -> None:
    for water, expected in (
        (TRUE, {"red": "red", "blue": "blue"}),
        (EXCHANGED, {"red": "blue", "blue": "red"}),
    ):
        places, names = read_as(bundle(water), CHANNELS)
        given = {name: CHANNELS[place] for place, name in zip(places, names, strict=True)}
        assert given == {"nir": "nir", "asc_vv": "asc_vv", **expected}


def test_a_bundle_that_cannot_read_scenes_is_refused() -> None:
    other = bundle(TRUE, channels=[SimpleNamespace(name="thermal")])
    with pytest.raises(InputError, match="cannot map"):
        conventions_of(other)
    linear = bundle(TRUE, conventions={"radar_scale": "power"})
    with pytest.raises(InputError, match="mapped in dB"):
        conventions_of(linear)
    with pytest.raises(InputError, match="need squares"):
        patch_side(bundle(TRUE, size=(64, 32)))
    assert patch_side(bundle(TRUE)) == 64
