"""What the surveys of all shards say together, without a row of every channel for every patch."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from landslip.data.survey import Survey


class Fault(NamedTuple):
    """Why a patch cannot be used, as `landslip.data.patches.PatchError` says it."""

    kind: str
    reason: str
    detail: str

    @property
    def sentence(self) -> str:
        """Reason and detail."""
        return f"{self.reason} ({self.detail})" if self.detail else self.reason


class Missing(NamedTuple):
    """Pixels of one patch that hold no data, of each channel."""

    nonfinite: NDArray[np.int64]
    """NaN or infinity."""
    sentinel: NDArray[np.int64]
    """Finite values that mean no data."""
    sentinel_value: NDArray[np.float32]
    """The most frequent of those, NaN where there is none."""
    zero: NDArray[np.int64]
    """Zero in a whole group of channels at once."""


@dataclass(frozen=True, kw_only=True)
class Summary:
    """What the surveys found in n patches, in their order. Pixels are taken as float32."""

    sha256: NDArray[np.bytes_]
    """(n,) of the files; empty where a file cannot be read."""
    fingerprint: NDArray[np.uint64]
    """(n,) see landslip.data.duplicates."""
    empty: NDArray[np.bool_]
    """(n,) every channel constant: no data."""
    faults: dict[int, Fault]
    """Row of a patch that cannot be used -> what is wrong with it."""
    missing: dict[int, Missing]
    """Row of a patch with pixels that hold no data -> how many in each channel."""
    judged: dict[str, NDArray[np.uint8]]
    """Unit -> (n,) what is wrong with the patch's pixels of it; see `landslip.data.units`."""
    train: int
    """The first so many patches are of the training split."""
    dtypes: dict[str, int]
    """Patches of each type of pixels, those that can be used."""
    low: NDArray[np.float32]
    """(channel,) least pixel with data, NaN where there is none."""
    high: NDArray[np.float32]
    """(channel,) greatest pixel with data, NaN where there is none."""
    outside: NDArray[np.int64]
    """(channel,) pixels with data outside the plausible range."""
    constant: NDArray[np.int64]
    """(channel,) patches in which no two pixels with data differ."""
    sample: NDArray[np.float32]
    """(n, pixel, channel) sampled pixels, NaN where there is no data."""

    @property
    def usable(self) -> int:
        """Patches without fault."""
        return len(self.sha256) - len(self.faults)

    @property
    def status(self) -> list[str]:
        """Of each patch: ok, empty or dropped; patches that stop the work have none."""
        status = ["empty" if empty else "ok" for empty in self.empty.tolist()]
        for row in self.faults:
            status[row] = "dropped"
        return status


def summarise(
    surveys: Iterable[Survey],
    *,
    train: int,
    judge: Callable[[Survey], Mapping[str, NDArray[np.uint8]]],
) -> Summary:
    """Gather surveys, one in memory at a time; there is at least one.

    Parameters
    ----------
    surveys
        Of the shards, in order.
    train
        How many patches, the first, are of the training split.
    judge
        Tells what is wrong with the units of a survey's patches.
    """
    digests, prints, empty = [], [], []
    faults: dict[int, Fault] = {}
    missing: dict[int, Missing] = {}
    judged: dict[str, list[NDArray[np.uint8]]] = {}
    dtypes: Counter[str] = Counter()
    lows, highs, outside, constant, samples = [], [], [], [], []
    n = 0
    for survey in surveys:
        good = survey.fault == ""
        for row in np.flatnonzero(~good).tolist():
            texts = (survey.fault[row], survey.reason[row], survey.detail[row])
            faults[n + row] = Fault(*map(str, texts))
        holes = (survey.nonfinite + survey.sentinel + survey.zero).any(axis=1)
        for row in np.flatnonzero(holes).tolist():
            own = (getattr(survey, name)[row].copy() for name in Missing._fields)
            missing[n + row] = Missing(*own)
        for unit, codes in judge(survey).items():
            judged.setdefault(unit, []).append(codes)
        dtypes.update(survey.dtype[good].tolist())
        digests.append(survey.sha256.astype(np.bytes_))
        prints.append(survey.fingerprint)
        empty.append(survey.constant.all(axis=1) & good)
        lows.append(np.fmin.reduce(survey.low, axis=0, initial=np.nan))
        highs.append(np.fmax.reduce(survey.high, axis=0, initial=np.nan))
        outside.append(survey.outside.sum(axis=0))
        constant.append(survey.constant.sum(axis=0))
        samples.append(survey.sample)
        n += len(good)
    return Summary(
        sha256=np.concatenate(digests),
        fingerprint=np.concatenate(prints),
        empty=np.concatenate(empty),
        faults=faults,
        missing=missing,
        judged={unit: np.concatenate(parts) for unit, parts in judged.items()},
        train=train,
        dtypes=dict(sorted(dtypes.items())),
        low=np.fmin.reduce(lows, axis=0),
        high=np.fmax.reduce(highs, axis=0),
        outside=np.sum(outside, axis=0),
        constant=np.sum(constant, axis=0),
        sample=np.concatenate(samples),
    )
