"""What stands in the ablation's members.json and calibration.json, as far as its pages read it."""

from pathlib import Path
from typing import Any, NotRequired

from typing_extensions import TypedDict

from landslip.ensemble.calibration import Method
from landslip.ensemble.records import Estimate
from landslip.ensemble.rules import Fit
from landslip.io.records import Count, Interval, Number, Probability, Share, read_record


class Weighting(TypedDict):
    """F1 of other weights of the members."""

    f1: Estimate
    difference: Estimate
    weights: dict[str, list[Number]]


class Members(TypedDict):
    """The content of members.json."""

    members: list[str]
    fit: Fit
    calibration: Method
    correlation: list[list[Number | None]]
    error_correlation: list[list[Number | None]]
    disagreement: list[list[Share]]
    ensemble: Estimate
    alone: dict[str, Estimate]
    without: dict[str, Estimate]
    weightings: dict[str, Weighting]


class Scores(TypedDict):
    """Of probabilities that are calibrated in one way."""

    brier: Share
    brier_interval: Interval | None
    ece: Share
    ece_interval: Interval | None


class Bin(TypedDict):
    """Patches of like probability."""

    predicted: Share
    observed: Share
    low: Share
    high: Share


class AtShare(TypedDict):
    """What a share of landslides makes of the threshold."""

    share: Share
    threshold: Probability
    threshold_range: tuple[Probability, Probability]


class Measured(TypedDict):
    """A number and its interval."""

    value: Number
    interval: Interval | None


class Prevalence(TypedDict):
    """Another share of landslides; without rows where a class has no patch."""

    observed: Share
    target: Share
    rows: list[AtShare]
    difference: Measured | None
    observed_threshold: NotRequired[Probability]
    target_threshold: NotRequired[Probability]
    observed_f1: NotRequired[Measured]
    kept: NotRequired[Measured]
    adapted: NotRequired[Measured]


class Calibration(TypedDict):
    """The content of calibration.json."""

    bins: Count
    scores: dict[str, dict[str, Scores]]
    reliability: dict[str, list[Bin]]
    prevalence: Prevalence


def read_members(path: Path) -> dict[str, Any]:
    """Read members.json, checked; see `landslip.io.records.read_record`."""
    return dict(read_record(path, Members))


def read_calibration(path: Path) -> dict[str, Any]:
    """Read calibration.json, checked."""
    return dict(read_record(path, Calibration))
