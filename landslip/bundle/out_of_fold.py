"""What members say of training patches that they were not trained on."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True)
class OutOfFold:
    """What members say of patches that they were not trained on; arrays (n,)."""

    labels: NDArray[np.int8]
    fold: NDArray[np.int64]
    scores: Mapping[str, NDArray[np.float64]]
    """Column -> probabilities."""
