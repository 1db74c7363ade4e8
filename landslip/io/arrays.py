"""Types of arrays that many functions take."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Labels = NDArray[np.int8]
"""0 or 1."""
Decisions = NDArray[np.bool_]
