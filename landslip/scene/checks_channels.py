"""Whether a scene's channels hold each other's values, by what a bundle was trained on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from landslip.bundle.order import LARGE, find_exchanged
from landslip.bundle.prepare import from_array
from landslip.bundle.recipe import Recipe
from landslip.bundle.record import BundleRecord
from landslip.scene.sample import Sample
from landslip.scene.verdicts import Verdict, skipped, verdict

# Share of a scene's patches that tell it by themselves. Of right ones one in some thousand does:
# a roof that glitters, the rim of a cloud.
_FEW = 0.1


@dataclass(frozen=True, kw_only=True)
class TrainingReference:
    """What a bundle was trained on, as far as a scene's channels are held against it."""

    record: BundleRecord
    recipe: Recipe
    called: Mapping[str, str]
    """The scene's channels that the bundle reads, and the names under which it knows them."""


def check_channels(sample: Sample, training: TrainingReference) -> Verdict:
    """Hold the patches of a sample against the training's, channel by channel."""
    shared = {own: name for own, name in training.called.items() if own in sample.names}
    if not shared:
        return skipped("channels", "the bundle reads none of the scene's channels")
    patches = _patches(sample, list(shared), training.recipe.size)
    if not len(patches):
        return skipped("channels", "the sample holds no whole patch with data")
    seen = from_array(patches, list(shared.values()), training.recipe, least_data=0.0).seen.sample
    alone = find_exchanged(seen, training.record, training.recipe)
    rows = [row for each in alone for row in each.rows]
    share = len(set(rows)) / len(seen)
    limit = f"share of the patches that tell it, up to {_FEW:g}"
    if share > _FEW:
        return _refused(alone[0].sentence, share, limit)
    if rows:
        # Patches together are asked about only where none tells it by itself.
        seen = np.delete(seen, rows, axis=0)
        alone = find_exchanged(seen, training.record, training.recipe)
    for each in alone:
        if each.distance is not None:
            away = f"distance from the training's, 0 alike, 1 apart, up to {LARGE:g}"
            return _refused(each.sentence, each.distance, away)
    return verdict(
        "channels",
        "no channels lie where the training has others",
        number=share,
        limit=limit,
    )


def _refused(sentence: str, number: float, limit: str) -> Verdict:
    return verdict(
        "channels",
        sentence,
        refused=True,
        number=number,
        limit=limit,
        todo="check which file and which band is which channel",
    )


def _patches(sample: Sample, names: list[str], size: tuple[int, int]) -> NDArray[np.float32]:
    """(n, channel, row, column) of the sample that have any data."""
    rows, columns = size
    squares = sample.channels[:, [sample.names.index(name) for name in names]]
    down, across = squares.shape[2] // rows, squares.shape[3] // columns
    whole = squares[:, :, : down * rows, : across * columns]
    cut = whole.reshape(*squares.shape[:2], down, rows, across, columns)
    patches = cut.transpose(0, 2, 4, 1, 3, 5).reshape(-1, len(names), rows, columns)
    there = np.isfinite(patches).any(axis=(1, 2, 3))
    return np.ascontiguousarray(patches[there])
