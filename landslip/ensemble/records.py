"""What stands in threshold.json and metrics.json, as far as other jobs read it."""

from pathlib import Path
from typing import Any, Literal, NotRequired

from typing_extensions import TypedDict

from landslip.io.records import Count, Interval, Number, Probability, Share, read_record


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
    patches: Count
    positives: Count
    split_digest: str
    warnings: list[str]


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


class Metrics(TypedDict):
    """The content of metrics.json."""

    threshold: Probability
    patches: Count
    positives: Count
    bootstrap: Count
    ensemble: Measured
    members: dict[str, Measured]
    test: Tested | None
    test_reason: str | None
    warnings: list[str]


def read_threshold(path: Path) -> dict[str, Any]:
    """Read threshold.json, checked; see `landslip.io.records.read_record`."""
    return dict(read_record(path, Threshold))


def read_metrics(path: Path) -> dict[str, Any]:
    """Read metrics.json, checked."""
    return dict(read_record(path, Metrics))
