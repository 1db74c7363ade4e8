"""Gradient boosted trees in memory: what every library of them does, whichever it is.

All are deterministic: with the same data, settings and seed the stored bytes are the same for any
number of threads. The libraries stand in `landslip.models.tree_libraries`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from landslip.io.arrays import Floats
from landslip.models.settings import TreeSettings

# Called with (round, training probabilities, validation probabilities).
Evaluate = Callable[[int, Floats, Floats], None]
Settings = TypeVar("Settings", bound=TreeSettings, covariant=True)


@dataclass(frozen=True)
class Examples:
    """Patches to learn from or to be measured on."""

    features: Floats
    """(n, column)"""
    labels: NDArray[np.int8]
    """(n,), 0 or 1"""


@dataclass(frozen=True, kw_only=True)
class Task(Generic[Settings]):
    """What a library is to train, and what it may take for it."""

    settings: Settings
    columns: Sequence[str]
    """Names of the features, in order."""
    train: Examples
    validation: Examples
    """Only evaluated: nothing is chosen by them."""
    seed: int
    threads: int
    gpu: bool


class Trees(Protocol):
    """A trained model."""

    def predict(self, features: Floats, threads: int) -> Floats:
        """Probability of a landslide, (n,), for features (n, column)."""

    def to_bytes(self) -> bytes:
        """The library's own file format."""

    def importance(self) -> pd.DataFrame:
        """feature, gain (total loss reduction), splits (their number), in order of columns."""

    @property
    def columns(self) -> list[str]:
        """Names of the features, in order."""


class Library(Protocol):
    """A module with these two functions; it imports the library itself only inside them."""

    def fit(self, task: Task[Any], evaluate: Evaluate) -> Trees:
        """Boost `task.settings.trees` rounds; call `evaluate` at those of `evaluated_rounds`.

        Raises
        ------
        InputError
            A GPU is asked for that the library cannot use.
        """

    def load(self, data: bytes, columns: Sequence[str]) -> Trees:
        """The model over `columns` whose `to_bytes` gave `data`, for prediction.

        Raises
        ------
        NotTreesError
            `data` is no such model; the library itself has not seen it then.
        """


def evaluated_rounds(trees: int, most: int = 200) -> frozenset[int]:
    """At most `most` rounds, evenly spaced, the first and the last among them."""
    return frozenset(np.linspace(1, trees, min(trees, most)).round().astype(int).tolist())
