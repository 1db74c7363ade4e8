"""How a scene's land differs from the training's is said channel by channel."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from scene.simulated_scene import interpret

from landslip.bundle.distributions import LEVELS
from landslip.scene.drift import LIMIT, scene_drift
from landslip.scene.layers import CHANNELS
from landslip.scene.reader import Reading, open_scene


@pytest.fixture(scope="module")
def reading(made_scene: Path) -> Reading:
    return interpret(made_scene).reading


def trained_on(values: dict[str, np.ndarray]) -> Any:
    """What is looked at of a bundle whose training held such land."""
    land = {name: np.nanquantile(known, LEVELS).tolist() for name, known in values.items()}
    quantiles = {"land": land, "water": {}}
    return SimpleNamespace(
        channels=[SimpleNamespace(name=name) for name in values],
        record={"distributions": {"quantiles": quantiles}},
    )


def land_of(reading: Reading) -> dict[str, np.ndarray]:
    """Channel -> the scene's own values."""
    with open_scene(reading) as reader:
        pixels = reader.read(0, 0, reading.grid.height, reading.grid.width).channels
    return dict(zip(CHANNELS, pixels.astype(np.float64), strict=True))


def test_a_scene_like_the_training_raises_nothing(reading: Reading) -> None:
    told = scene_drift(reading, trained_on(land_of(reading)))
    assert told["words"] == "The scene's land looks like the training's."
    assert [row["channel"] for row in told["rows"]] == list(CHANNELS)
    assert all(row["outside"] < LIMIT for row in told["rows"])


@pytest.mark.parametrize("channel", ["nir", CHANNELS[4]])
def test_a_channel_unlike_the_training_is_named_with_its_numbers(
    channel: str, reading: Reading
) -> None:
    values = land_of(reading)
    median = np.nanmedian(values[channel])
    spread = np.ptp(values[channel][np.isfinite(values[channel])])
    values[channel] = values[channel] + spread
    told = scene_drift(reading, trained_on(values))
    assert f"differs from the training in {channel}: more than 10% of its land" in told["words"]
    row = next(row for row in told["rows"] if row["channel"] == channel)
    assert row["outside"] > 0.9 and row["distance"] > 0.9
    # Water is left out of what is compared, so that the median is near that of all, not equal.
    assert abs(row["scene"] - median) < spread / 4 < row["training"] - row["scene"]
