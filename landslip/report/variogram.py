"""Empirical semivariogram of patches from scenes: how alike they are by their distance."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from landslip.io.arrays import Floats
from landslip.models.seeds import derive_seed

# Patches, of which every pair counts in the variogram.
_PAIRED = 3000
_BINS = 12
# A class of distance says little with fewer pairs.
_FEWEST_PAIRS = 30
# Share of the variance at which patches are no longer alike.
_SILL = 0.95


def variogram(
    place: Floats, part: NDArray[np.int64], labels: NDArray[Any], probability: Floats, seed: int
) -> dict[str, list[float]]:
    """Empirical semivariogram of labels, and of what trees leave unexplained.

    Parameters
    ----------
    place : (n, 2)
        Metres.
    part : (n,)
        Number of a scene in one coordinate system; pairs are of one.
    labels : (n,)
        0 or 1.
    probability : (n,)
        Of trees that saw no patch of the same fold.
    seed
        The run's.

    Returns
    -------
    dict
        distance (m, mean of a class), pairs, label, residual: half the mean squared difference of
        pairs of that distance, as a share of the variance; 1: as different as any two.

    Notes
    -----
    Pairs of one scene, up to half of the widest scene. Patches are as they were drawn: negatives by
    their design, not as the land has them. Of many patches a random part.
    """
    random = np.random.default_rng(derive_seed(seed, "splits", 3))
    chosen = np.sort(random.permutation(len(labels))[:_PAIRED])
    values = {
        "label": labels[chosen].astype(np.float64),
        "residual": labels[chosen] - probability[chosen],
    }
    first, second = np.triu_indices(len(chosen), 1)
    pair = part[chosen][first] == part[chosen][second]
    first, second, place = first[pair], second[pair], place[chosen]
    distance = np.hypot(*(place[first] - place[second]).T)
    found: dict[str, list[float]] = {name: [] for name in ("distance", "pairs", *values)}
    if not len(distance) or not distance.max() > 0:
        return found
    edges = np.geomspace(distance[distance > 0].min() * 0.999, distance.max() / 2, _BINS + 1)
    where = np.digitize(distance, edges)
    for number in range(1, _BINS + 1):
        own = where == number
        if own.sum() < _FEWEST_PAIRS:
            continue
        found["distance"].append(float(distance[own].mean()))
        found["pairs"].append(int(own.sum()))
        for name, each in values.items():
            spread = float(each.var())
            half = 0.5 * float(((each[first[own]] - each[second[own]]) ** 2).mean())
            found[name].append(half / spread if spread > 0 else 1.0)
    return found


def reach(curve: Mapping[str, list[float]]) -> float | None:
    """Distance, m, from which on labels are as different as any two; None: not in a scene."""
    unlike = np.array(curve["label"]) >= _SILL
    lasting = np.logical_and.accumulate(unlike[::-1])[::-1]
    return curve["distance"][int(np.argmax(lasting))] if lasting.any() else None
