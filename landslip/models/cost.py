"""What a training took: time, memory and speed, written beside its model."""

import resource
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from landslip.io.files import write_json
from landslip.io.records import Amount, Count, read_record


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Time and memory of one (model, fold), over all processes that it took."""

    model: str
    fold: Count
    kind: str
    """network, lightgbm or xgboost."""
    encoders: Sequence[str] = ()
    """timm's name of the encoder of each input; none of a tree model."""
    device: str
    """cpu, or the GPU's name."""
    precision: str | None = None
    threads: Count
    seconds: Amount
    """From the start to the predictions."""
    training_seconds: Amount
    """In training steps or boosting rounds."""
    prediction_seconds: Amount
    """Of the fold's patches, as their predictions are stored."""
    epochs: Count
    """Or boosting rounds."""
    training_patches: Count
    """In one epoch."""
    training_patches_per_second: Amount | None = None
    """None of a tree model: a boosting round is no pass over pixels."""
    prediction_patches_per_second: Amount
    """The same; test-time augmentation included."""
    peak_memory_mb: Amount
    """Of this process; of the last where there were several. 10^6 bytes."""
    peak_device_memory_mb: Amount | None = None
    """Of tensors on the GPU."""
    resumed: Count = 0
    """How often the training went on from a saved state."""


def write_cost(target: Path, cost: Cost) -> None:
    """Write a cost as JSON."""
    write_json(target, asdict(cost))


def read_cost(path: Path) -> dict[str, Any]:
    """Read what `write_cost` wrote, checked; see `landslip.io.records.read_record`."""
    return dict(read_record(path, Cost))


def seconds_per_thousand(costs: Iterable[Mapping[str, Any]]) -> float:
    """Wall time in which all folds' models predict 1,000 patches, as a test patch needs them."""
    rates = [float(cost["prediction_patches_per_second"]) for cost in costs]
    return sum(1000 / rate for rate in rates if rate > 0)


def peak_memory_mb() -> float:
    """Largest resident memory of this process so far, in 10^6 bytes."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


@dataclass
class Stopwatch:
    """Seconds since it was made, and since it was last read."""

    _started: float = field(default_factory=time.perf_counter)
    _read: float = field(default_factory=time.perf_counter)

    def total(self) -> float:
        """Since it was made."""
        return time.perf_counter() - self._started

    def lap(self) -> float:
        """Since the last lap, or since it was made."""
        before, self._read = self._read, time.perf_counter()
        return self._read - before
