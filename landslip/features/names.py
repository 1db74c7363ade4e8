"""Names that a config may use for statistics and scalings."""

from collections.abc import Iterable
from typing import Literal, get_args

Statistic = Literal["mean", "median", "min", "max", "std", "skew", "kurtosis"]
STATISTICS: tuple[str, ...] = get_args(Statistic)

ScalingKind = Literal["standard", "robust", "robust_1_99"]
SCALINGS: tuple[str, ...] = get_args(ScalingKind)


def feature_columns(channels: Iterable[str], statistics: Iterable[str]) -> list[str]:
    """Columns of the table of features, `{channel}_{statistic}`, channel by channel."""
    statistics = list(statistics)
    return [f"{channel}_{statistic}" for channel in channels for statistic in statistics]
