"""F1 of many predictions and their differences, with paired bootstrap intervals."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any, TypeVar

import numpy as np

from landslip.ensemble import metrics
from landslip.ensemble.bootstrap import Metric, bootstrap_intervals
from landslip.io.arrays import Decisions, Floats, Labels

Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A number and its 95 % interval."""

    value: float
    low: float
    high: float

    @property
    def interval(self) -> list[float] | None:
        """[low, high], None where the measure is undefined in every resample."""
        return None if np.isnan(self.low) else [self.low, self.high]

    @property
    def contains_zero(self) -> bool:
        """Whether the interval contains 0, so that the sign may be chance."""
        return self.low <= 0 <= self.high

    def to_json(self) -> dict[str, float]:
        """As builtins."""
        return asdict(self)


def estimate(
    functions: Mapping[Key, Metric], n: int, *, resamples: int, seed: int
) -> dict[Key, Estimate]:
    """Measures of n patches, each with its interval from the same resamples.

    Parameters
    ----------
    functions
        Name -> measure.
    n
        How many patches there are.
    resamples, seed
        As in `compare`.
    """
    intervals = bootstrap_intervals(functions, n=n, resamples=resamples, seed=seed)
    once = np.ones((1, n))
    estimates = {}
    for key, function in functions.items():
        low, high = intervals[key] or (float("nan"), float("nan"))
        estimates[key] = Estimate(value=float(function(once)[0]), low=low, high=high)
    return estimates


def compare(
    labels: Labels,
    decisions: Mapping[Key, Decisions],
    pairs: Sequence[tuple[Key, Key]],
    *,
    resamples: int,
    seed: int,
) -> tuple[dict[Key, Estimate], dict[tuple[Key, Key], Estimate]]:
    """F1 of every set of decisions, and of pairs the difference, first less second.

    Parameters
    ----------
    labels : (n,)
        0 or 1.
    decisions
        Name -> (n,).
    pairs
        Names.
    resamples
        Draws of the n patches. All decisions are measured on the same draws, so that what two
        of them share cancels in their difference. Models and thresholds stay as they are: the
        spread from training again with another seed is not in the intervals.
    seed
        The run's.
    """
    functions: dict[tuple[Key, ...], Metric] = {
        (name,): partial(metrics.f1, labels, decided) for name, decided in decisions.items()
    }
    for first, second in pairs:
        functions[first, second] = partial(
            f1_difference, labels, decisions[first], decisions[second]
        )
    estimates = estimate(functions, len(labels), resamples=resamples, seed=seed)
    return (
        {name: estimates[name,] for name in decisions},
        {(first, second): estimates[first, second] for first, second in pairs},
    )


def difference_to_json(difference: Estimate) -> dict[str, Any]:
    """With whether the sign may be chance."""
    return difference.to_json() | {"contains_zero": bool(difference.contains_zero)}


def f1_difference(labels: Labels, first: Decisions, second: Decisions, weights: Floats) -> Floats:
    """F1 of the first decisions (n,) less that of the second, (resample,)."""
    return metrics.f1(labels, first, weights) - metrics.f1(labels, second, weights)
