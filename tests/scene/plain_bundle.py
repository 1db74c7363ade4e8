"""A stand-in for a bundle that says what it sees, and so tells where a map looked."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass
class PlainAnswers:
    """Answers of a stand-in for a bundle: what it sees is what it says."""

    probability: Any
    sensors: list[str]
    threshold: Any = field(init=False)
    members: Any = field(init=False)
    member_names: list[str] = field(default_factory=lambda: ["only"])

    def __post_init__(self) -> None:
        self.threshold = np.full(len(self.probability), 0.5)
        self.members = self.probability[:, None]


def plain_bundle(patches: Any, channels: Sequence[str]) -> PlainAnswers:
    """A probability from each patch's own pixels alone, and the sensors that half of it shows."""
    there = np.isfinite(patches)
    filled = np.where(there, patches, 0).astype(np.float64)
    # No matrix product: its bits depend on how many patches are asked about at once.
    means = (filled.mean(axis=(2, 3)) * np.linspace(1, 2, len(channels))).sum(axis=1)
    share = there.mean(axis=(2, 3))
    first = {"optical": "red", "descending": "desc_vv", "ascending": "asc_vv"}
    named = {
        sensor: share[:, list(channels).index(name)] >= 0.5
        for sensor, name in first.items()
        if name in channels
    }
    sensors = ["+".join(s for s in named if named[s][at]) for at in range(len(patches))]
    probability = np.where([bool(each) for each in sensors], (means / 97) % 1, np.nan)
    return PlainAnswers(probability=probability, sensors=sensors)
