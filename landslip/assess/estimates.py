"""Accuracy and area from a stratified random sample, with intervals that the design justifies.

Everything is a ratio of two totals, as in Stehman (2014): strata need not be the map's classes, and
cells need not have one size. Where strata are the classes, and few cells of many were drawn, the
estimates and their standard errors are those of Olofsson et al. (2014).

References
----------
P. Olofsson et al. (2014), Good practices for estimating area and assessing accuracy of land change,
Remote Sensing of Environment 148, 42-57.
S. V. Stehman (2014), Estimating area and map accuracy for stratified random sampling when the
strata are different from the map classes, International Journal of Remote Sensing 35, 4923-4939.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.stats
from numpy.typing import NDArray

Numbers = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A figure, its standard error and its interval."""

    value: float
    error: float
    low: float
    high: float

    def times(self, factor: float) -> Estimate:
        """The same in another unit."""
        return Estimate(
            value=self.value * factor,
            error=self.error * factor,
            low=self.low * factor,
            high=self.high * factor,
        )


@dataclass(frozen=True, kw_only=True)
class Design:
    """How a sample was drawn: at random and without replacement in each stratum."""

    stratum: NDArray[Any]
    """(n,) of each sampled unit."""
    population: Mapping[Any, int]
    """Stratum -> units in it, sampled or not."""
    confidence: float = 0.95

    def ratio(self, above: Numbers, below: Numbers) -> Estimate | None:
        """Ratio of the totals of two quantities over all units.

        Parameters
        ----------
        above, below : (n,)
            Of each sampled unit.

        Returns
        -------
        Estimate or None
            None where the total below is 0 in the sample: nothing can be said. The interval is
            the normal one, cut to 0 and 1; where all sampled units agree, which the normal one
            takes for certain, it is that of `unanimous_reach`.

        Notes
        -----
        Combined ratio estimator, with the variance of its linearisation and the correction for
        finite strata (Stehman 2014, equations 27 to 29). A stratum of which every unit was drawn
        adds none.
        """
        total_below = self.total(below)
        if total_below == 0:
            return None
        value = self.total(above) / total_below
        rest = above - value * below
        variance = 0.0
        for name, size in self.population.items():
            own = rest[self.stratum == name]
            if len(own) < size:
                variance += size * (size - len(own)) * float(np.var(own, ddof=1)) / len(own)
        error = math.sqrt(variance) / total_below
        reach = float(scipy.stats.norm.ppf((1 + self.confidence) / 2)) * error
        if variance == 0 and value in (0, 1):
            reach = self.unanimous_reach(below)
        return Estimate(
            value=value, error=error, low=max(value - reach, 0.0), high=min(value + reach, 1.0)
        )

    def unanimous_reach(self, below: Numbers) -> float:
        """How far a share may be from the 0 or 1 that all sampled units say.

        The exact (Clopper-Pearson) bound, with as many units as would weigh as much if all had one
        weight (Kish 1965); 0 where every unit was drawn.
        """
        weights = np.concatenate(
            [
                own * size / len(own)
                for name, size in self.population.items()
                if len(own := below[self.stratum == name]) < size
            ]
            or [np.zeros(1)]
        )
        if not weights.any():
            return 0.0
        count = float(weights.sum() ** 2 / (weights**2).sum())
        return float(1 - ((1 - self.confidence) / 2) ** (1 / count))

    def total(self, values: Numbers) -> float:
        """Total over all units, sampled or not, of what sampled units have."""
        return sum(
            size * float(np.mean(values[self.stratum == name]))
            for name, size in self.population.items()
        )


@dataclass(frozen=True, kw_only=True)
class ClassAccuracy:
    """What a sample says of one class of a map."""

    users: Estimate | None
    """Share of what the map calls so that is so."""
    producers: Estimate | None
    """Share of what is so that the map calls so."""
    share: Estimate | None
    """Of the area that is so."""


@dataclass(frozen=True, kw_only=True)
class Accuracy:
    """What a sample says of a map, or of a part of it."""

    overall: Estimate | None
    classes: dict[Any, ClassAccuracy]


def measure_accuracy(
    design: Design,
    mapped: NDArray[Any],
    reference: NDArray[Any],
    area: Numbers,
    classes: Sequence[Hashable],
    inside: NDArray[np.bool_] | None = None,
) -> Accuracy:
    """Overall, user's and producer's accuracy by area, and each class's share of the area.

    Parameters
    ----------
    design
        How the units were drawn.
    mapped, reference : (n,)
        Class of each sampled unit on the map, and as it was interpreted.
    area : (n,)
        Of each sampled unit, in any unit.
    classes
        Those that are asked about.
    inside : (n,)
        Units of the part of the map that is asked about; None: the whole. All sampled units take
        part in the variance, for how many fell inside was chance.
    """
    size = area if inside is None else np.where(inside, area, 0.0)
    return Accuracy(
        overall=design.ratio(size * (mapped == reference), size),
        classes={
            each: ClassAccuracy(
                users=design.ratio(
                    size * ((mapped == each) & (reference == each)), size * (mapped == each)
                ),
                producers=design.ratio(
                    size * ((mapped == each) & (reference == each)), size * (reference == each)
                ),
                share=design.ratio(size * (reference == each), size),
            )
            for each in classes
        },
    )


def exact_interval(
    found: int, drawn: int, population: int, confidence: float
) -> tuple[float, float]:
    """Exact (Clopper-Pearson) interval of a share in one stratum.

    Takes the draw for one with replacement, so it is a little wide where much was drawn. Where all
    was, it is the share alone.
    """
    if drawn == population:
        return found / drawn, found / drawn
    interval = scipy.stats.binomtest(found, drawn).proportion_ci(confidence, "exact")
    return float(interval.low), float(interval.high)
