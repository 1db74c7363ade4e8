"""Bootstrap intervals of metrics: patches are drawn with replacement, predictions stay."""

from collections.abc import Callable, Hashable, Iterator, Mapping
from typing import TypeVar

import numpy as np

from landslip.io.arrays import Floats
from landslip.models.seeds import derive_seed

# (resample, n) weights of the patches -> (resample,) values, NaN where undefined.
Metric = Callable[[Floats], Floats]
Key = TypeVar("Key", bound=Hashable)

PERCENTILES = (2.5, 97.5)
_BLOCK = 64  # resamples held at once: 64 x 7,147 weights are 3.7 MB


def resample_weights(n: int, resamples: int, seed: int) -> Iterator[Floats]:
    """How often each patch is drawn, block by block.

    Parameters
    ----------
    n
        Patches.
    resamples
        Draws of n patches with replacement, not stratified.
    seed
        The run's seed. The same seed and n give the same draws, so metrics of different
        models are paired.

    Yields
    ------
    (block, n) float64, whole numbers; rows sum to n
    """
    random = np.random.default_rng(derive_seed(seed, "bootstrap", 0))
    for start in range(0, resamples, _BLOCK):
        rows = min(_BLOCK, resamples - start)
        drawn = random.integers(0, n, size=(rows, n))
        drawn += n * np.arange(rows)[:, np.newaxis]
        counts = np.bincount(drawn.ravel(), minlength=rows * n)
        yield counts.reshape(rows, n).astype(np.float64)


def bootstrap_intervals(
    metrics: Mapping[Key, Metric], *, n: int, resamples: int, seed: int
) -> dict[Key, list[float] | None]:
    """Percentile intervals, 2.5 to 97.5, of many metrics over the same resamples.

    Resamples in which a metric is undefined (AUC where one class was not drawn) are left out.

    Returns
    -------
    dict
        [low, high] for each metric, None where it is undefined in every resample.
    """
    values: dict[Key, list[Floats]] = {key: [] for key in metrics}
    for weights in resample_weights(n, resamples, seed):
        for key, metric in metrics.items():
            values[key].append(metric(weights))
    return {key: _interval(np.concatenate(blocks)) for key, blocks in values.items()}


def _interval(values: Floats) -> list[float] | None:
    defined = values[np.isfinite(values)]
    if len(defined) == 0:
        return None
    low, high = np.percentile(defined, PERCENTILES)
    return [float(low), float(high)]
