"""Names that a config may use for statistics and scalings."""

from typing import Literal, get_args

Statistic = Literal["mean", "median", "min", "max", "std", "skew", "kurtosis"]
STATISTICS: tuple[str, ...] = get_args(Statistic)

ScalingKind = Literal["standard", "robust", "robust_1_99"]
SCALINGS: tuple[str, ...] = get_args(ScalingKind)
