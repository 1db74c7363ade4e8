"""What stands in threshold.json, metrics.json and bundle.json of members and their rules."""

from pathlib import Path
from typing import Any, Literal, NotRequired

from typing_extensions import TypedDict

from landslip.ensemble.calibration import Method
from landslip.ensemble.rules import Fit, Rule
from landslip.io.records import Amount, Count, Interval, Number, Probability, Share, read_record


class Calibrator(TypedDict):
    """As `landslip.ensemble.calibration.Calibrator` says itself."""

    method: Method
    temperature: NotRequired[Amount]
    scores: NotRequired[list[Probability]]
    probabilities: NotRequired[list[Share]]


class FittedRule(TypedDict):
    """As `landslip.ensemble.rules.FittedRule` says itself."""

    rule: Rule
    calibration: Method
    members: list[str]
    weights: list[Amount]
    intercept: Number
    calibrators: list[Calibrator]


class Estimate(TypedDict):
    """A number and its 95 % interval."""

    value: Number
    low: Number
    high: Number
    contains_zero: NotRequired[bool]


class Candidate(TypedDict):
    """A way to combine the members."""

    fit: Fit
    calibration: Method
    f1: Estimate
    against_mean: Estimate
    against_best: Estimate


class BestMember(TypedDict):
    """The member with the highest F1 at cross-fitted thresholds."""

    name: str
    f1: Estimate


class RuleInForce(TypedDict):
    """As `landslip.ensemble.choice.RuleChoice` says itself."""

    fitted: FittedRule
    fit: Fit
    why: str
    best_member: BestMember
    candidates: list[Candidate]
    warnings: list[str]


class Choice(TypedDict):
    """A threshold and the F1 that it gives."""

    threshold: Probability
    f1: Share


class CrossFitted(TypedDict):
    """F1 with thresholds chosen on other folds."""

    f1: Share
    interval: Interval | None
    thresholds: dict[str, Probability]


class Threshold(TypedDict):
    """The content of threshold.json."""

    threshold: Probability
    operator: Literal[">"]
    method: Literal["exact", "grid", "fixed"]
    f1: Share
    grid: Choice
    exact: Choice
    cross_fitted: CrossFitted
    rule: RuleInForce
    patches: Count
    positives: Count
    split_digest: str
    warnings: list[str]


class MemberSensors(TypedDict):
    """What a member needs to answer."""

    name: str
    sensors: list[str]
    """What it reads."""
    any_sensors: bool
    """It was trained with modality dropout and answers for any of them."""


class CombinationRecord(TypedDict):
    """How the members that can answer for some sensors answer together."""

    sensors: list[str]
    columns: list[str]
    """Of oof.parquet: a member, or `member@sensor+sensor` of one that reads less than it could."""
    fit: Fit
    """How the rule was fitted."""
    rule: FittedRule
    threshold: Probability
    """Chosen on what the rules of the other folds say of each fold, as the training's own."""
    f1: Share
    """Out of fold, with rule and threshold of the other folds."""
    interval: Interval
    precision: Share
    recall: Share
    why: str


class WayRecord(TypedDict):
    """One way to answer for some sensors, judged out of fold."""

    columns: list[str]
    f1: Share
    interval: Interval


class ComparisonRecord(TypedDict):
    """Two ways to answer for some sensors: None where nobody can."""

    sensors: list[str]
    left_out: WayRecord | None
    """Members that need what is missing are left out; those with modality dropout do not count."""
    dropout: WayRecord | None
    """Members that were trained with modality dropout alone."""


class Confusion(TypedDict):
    """Counts of patches."""

    tn: Count
    fp: Count
    fn: Count
    tp: Count


class Measured(TypedDict):
    """Measures of one model; those that need folds, or two halves, not everywhere."""

    f1_at_half: Share
    f1: Share
    precision: Share
    recall: Share
    auc: Share | None
    average_precision: Share | None
    brier: Share
    confusion: Confusion
    confusion_at_half: Confusion
    intervals: dict[str, Interval | None]
    f1_at_own_threshold: NotRequired[Share]
    cross_fitted_f1: NotRequired[Share]
    own_threshold: NotRequired[Probability]
    public_f1: NotRequired[Share]
    private_f1: NotRequired[Share]
    overall: NotRequired[Number]


class Tested(TypedDict):
    """Measures on the test patches."""

    patches: Count
    positives: Count
    without_label: Count
    without_prediction: Count
    ensemble: Measured
    members: dict[str, Measured]
    warnings: list[str]


class AddNothing(TypedDict):
    """Members without which the ensemble is no worse."""

    members: list[str]
    f1: Estimate | None
    difference: Estimate | None


class Metrics(TypedDict):
    """The content of metrics.json."""

    threshold: Probability
    patches: Count
    positives: Count
    bootstrap: Count
    ensemble: Measured
    members: dict[str, Measured]
    rule: RuleInForce
    add_nothing: AddNothing
    test: Tested | None
    test_reason: str | None
    warnings: list[str]


def read_threshold(path: Path) -> dict[str, Any]:
    """Read threshold.json, checked; see `landslip.io.records.read_record`."""
    return dict(read_record(path, Threshold))


def read_metrics(path: Path) -> dict[str, Any]:
    """Read metrics.json, checked."""
    return dict(read_record(path, Metrics))
