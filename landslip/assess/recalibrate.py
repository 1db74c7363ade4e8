"""A threshold for a wanted precision, from zones that a reviewer judged.

How often a zone holds a landslide is a logistic function of its score, fitted on the zones with a
verdict (Platt 1999). The precision above a threshold is the mean of that function over all zones
above it, judged or not: so it does not matter that the first ranks are judged more often than the
others, as long as among zones of like scores it is chance which were.

References
----------
J. Platt (1999), Probabilistic outputs for support vector machines and comparisons to regularized
likelihood methods, in Advances in Large Margin Classifiers, MIT Press, 61-74.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
import scipy.stats
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit, logit

from landslip.io.arrays import Floats

Bools = NDArray[np.bool_]
Bound = Literal["estimate", "low"]

# Logits of 0 and 1 are infinite.
_LEAST = 1e-6
# Share of the steepest sum of squares below which scores are taken for one and the same.
_SAME = 1e-9


@dataclass(frozen=True)
class Interval:
    """A precision and its interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class ZoneCalibration:
    """How often a zone holds a landslide, by its score."""

    level: float
    """Logit of the share at the mean score."""
    slope: float
    """By standard deviations of the scores' logits; never below 0."""
    centre: float
    spread: float
    covariance: Floats
    """(2, 2) of level and slope; 0 where the slope is none."""
    confidence: float

    def share(self, score: Floats) -> Floats:
        """How often zones of these scores (n,) hold a landslide."""
        return np.asarray(expit(self.level + self.slope * self._scaled(score)), np.float64)

    def precisions(self, score: Floats) -> Floats:
        """Mean share over the first, the first two, ... of zones of these scores (n,).

        Returns
        -------
        (n, 3) the mean, and the ends of its interval

        Notes
        -----
        The interval is normal on the logit of the mean, by the delta method, for zones with these
        very scores: it holds what the verdicts leave open, not which zones another map would have.
        """
        share = self.share(score)
        weight = share * (1 - share)
        counts = np.arange(1, len(score) + 1)
        gradient = np.column_stack([weight, weight * self._scaled(score)]).cumsum(0)
        gradient /= counts[:, None]
        mean = share.cumsum() / counts
        variance = np.einsum("ni,ij,nj->n", gradient, self.covariance, gradient)
        reach = np.sqrt(variance) / (mean * (1 - mean))
        reach *= float(scipy.stats.norm.ppf((1 + self.confidence) / 2))
        middle = logit(mean)
        return np.column_stack([mean, expit(middle - reach), expit(middle + reach)])

    def _scaled(self, score: Floats) -> Floats:
        return np.asarray((_logit(score) - self.centre) / self.spread, np.float64)


def fit_zones(score: Floats, right: Bools, confidence: float) -> ZoneCalibration:
    """Fit the logistic function on judged zones.

    Parameters
    ----------
    score, right : (n,), n at least 1
        Largest probability of each judged zone; it holds a landslide.
    confidence
        Of intervals that follow.

    Notes
    -----
    Targets are Platt's, (N + 1) / (N + 2) of N right zones and 1 / (N + 2) of N wrong ones, so the
    function stays finite where all verdicts agree. The slope is not let below 0, for a higher
    threshold would then lower the precision.
    """
    scores = _logit(score)
    centre, spread = float(scores.mean()), float(scores.std())
    flat = spread <= _SAME * max(abs(centre), 1.0)
    scaled = np.zeros(len(scores)) if flat else (scores - centre) / spread
    yes, no = int(right.sum()), int((~right).sum())
    target = np.where(right, (yes + 1) / (yes + 2), 1 / (no + 2))
    design = np.column_stack([np.ones(len(scores)), scaled])

    def loss(at: Floats) -> tuple[float, Floats]:
        line = design @ at
        gradient = design.T @ (expit(line) - target)
        return float((np.logaddexp(0, line) - target * line).sum()), gradient

    start = np.array([logit(target.mean()), 0.0])
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=[(None, None), (0, None)])
    level, slope = (float(value) for value in found.x)
    weight = expit(design @ found.x) * (1 - expit(design @ found.x))
    information = (design * weight[:, None]).T @ design
    inverse = np.linalg.inv(information) if slope > 0 else np.diag([1 / weight.sum(), 0.0])
    return ZoneCalibration(
        level=level, slope=slope, centre=centre, spread=1.0 if flat else spread,
        covariance=np.asarray(inverse, np.float64), confidence=confidence,
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Recalibrated:
    """A threshold for a wanted precision, or why there is none."""

    wanted: float
    bound: Bound
    """What is to reach it: the estimate, or the lower end of its interval."""
    threshold: float | None
    precision: Interval | None
    """At the threshold; at the highest that was looked at where none reaches it."""
    zones: int
    """Above the threshold."""
    right_lost: int
    """Zones that were judged right and lie no longer above it."""
    lowest: float
    """No threshold below this was looked at: what lies there was not judged."""
    words: str


def recalibrate(
    score: Floats,
    judged: Bools,
    right: Bools,
    *,
    in_force: float,
    wanted: float,
    bound: Bound,
    confidence: float,
) -> Recalibrated:
    """The lowest threshold whose precision is the wanted one.

    Parameters
    ----------
    score, judged, right : (n,)
        Largest probability of each zone; a reviewer judged it; it holds a landslide.
    in_force
        The threshold that the zones lie above; the highest, where it differs with sensors.
    wanted, bound
        Precision, and whether its estimate or the lower end of its interval is to reach it.
    confidence
        Of intervals.

    Notes
    -----
    A zone is above a threshold where its largest probability is. Each counts once, though at a
    higher threshold one zone may fall apart into two. No threshold is looked at above which a zone
    has a lower score than all that were judged: the function is not drawn out to such scores.
    """
    fitted = fit_zones(score[judged], right[judged], confidence)
    unjudged = score[score < score[judged].min()]
    start = max(in_force, float(unjudged.max())) if len(unjudged) else in_force
    falling = np.sort(score)[::-1]
    by_threshold = fitted.precisions(falling)
    edges = [start, *np.unique(score[score > start]).tolist()]
    found: Interval | None = None
    for under, over in pairwise(edges):
        above = int(np.searchsorted(-falling, -over, side="right"))
        found = Interval(*by_threshold[above - 1].tolist())
        if (found.value if bound == "estimate" else found.low) >= wanted:
            threshold = in_force if under == in_force else _between(under, over)
            lost = int((judged & right & (score <= threshold)).sum())
            return Recalibrated(
                wanted=wanted, bound=bound, threshold=threshold, precision=found,
                zones=int((score > threshold).sum()), right_lost=lost, lowest=start,
                words=f"raising the threshold gives up {lost} of the zones that were judged right"
                if threshold > in_force
                else "the threshold in force reaches the wanted precision; verdicts on its zones "
                "say nothing of a lower one",
            )  # fmt: skip
    return Recalibrated(
        wanted=wanted, bound=bound, threshold=None, precision=found, zones=0,
        right_lost=int((judged & right).sum()), lowest=start,
        words="no threshold reaches the wanted precision on these verdicts: "
        + (
            "judge more zones, or ask for a lower precision"
            if fitted.slope
            else "zones with higher scores do not hold landslides more often"
        ),
    )  # fmt: skip


def _between(under: float, over: float) -> float:
    """The shortest number t near the middle with under <= t < over."""
    middle = (under + over) / 2
    return next(
        (t for digits in range(2, 17) if under <= (t := round(middle, digits)) < over), under
    )


def _logit(score: Floats) -> Floats:
    return np.asarray(logit(np.clip(score, _LEAST, 1 - _LEAST)), np.float64)
