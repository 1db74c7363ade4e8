"""What the surveys of all shards say together, without a row of every channel for every patch."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from landslip.data.survey import Survey


class Fault(NamedTuple):
    """Why a patch cannot be used: as `landslip.data.patches.PatchError` says it."""

    kind: str
    reason: str
    detail: str

    @property
    def sentence(self) -> str:
        """Reason and detail."""
        return f"{self.reason} ({self.detail})" if self.detail else self.reason


@dataclass(frozen=True, kw_only=True)
class Summary:
    """Facts of n patches, in the order of their surveys. All of pixels are of float32 values."""

    sha256: NDArray[np.bytes_]
    """(n,) of the files; empty where a file cannot be read."""
    fingerprint: NDArray[np.uint64]
    """(n,) see landslip.data.duplicates."""
    empty: NDArray[np.bool_]
    """(n,) every channel constant: no data."""
    faults: dict[int, Fault]
    """Row of a patch that cannot be used -> what is wrong with it."""
    nonfinite: dict[int, NDArray[np.int64]]
    """Row of a patch with pixels that are NaN or infinite -> their number in each channel."""
    dtypes: dict[str, int]
    """Patches of each type of pixels, those that can be used."""
    low: NDArray[np.float32]
    """(channel,) least finite pixel, NaN where there is none."""
    high: NDArray[np.float32]
    """(channel,) greatest finite pixel, NaN where there is none."""
    outside: NDArray[np.int64]
    """(channel,) finite pixels outside the plausible range."""
    constant: NDArray[np.int64]
    """(channel,) patches in which no two finite pixels differ."""
    sampled: int
    """Pixels of each patch that `magnitude` is of."""
    magnitude: NDArray[np.float64]
    """(channel,) median absolute value of sampled pixels; NaN where no patch has data."""

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


def summarise(surveys: Iterable[Survey]) -> Summary:
    """Gather surveys, one in memory at a time; there is at least one."""
    digests, prints, empty = [], [], []
    faults: dict[int, Fault] = {}
    nonfinite: dict[int, NDArray[np.int64]] = {}
    dtypes: Counter[str] = Counter()
    lows, highs, outside, constant, samples = [], [], [], [], []
    n = 0
    for survey in surveys:
        good = survey.fault == ""
        for row in np.flatnonzero(~good).tolist():
            texts = (survey.fault[row], survey.reason[row], survey.detail[row])
            faults[n + row] = Fault(*map(str, texts))
        for row in np.flatnonzero(survey.nonfinite.any(axis=1)).tolist():
            nonfinite[n + row] = survey.nonfinite[row].copy()
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
        nonfinite=nonfinite,
        dtypes=dict(sorted(dtypes.items())),
        low=np.fmin.reduce(lows, axis=0),
        high=np.fmax.reduce(highs, axis=0),
        outside=np.sum(outside, axis=0),
        constant=np.sum(constant, axis=0),
        sampled=samples[0].shape[1],
        magnitude=_magnitude(samples),
    )


def _magnitude(samples: list[NDArray[np.float32]]) -> NDArray[np.float64]:
    """(channel,) median absolute value of the finite pixels of samples (n, pixel, channel)."""
    medians = np.full(samples[0].shape[2], np.nan)
    for channel in range(len(medians)):
        pixels = np.concatenate([np.abs(sample[:, :, channel]).ravel() for sample in samples])
        pixels = pixels[np.isfinite(pixels)]
        if pixels.size:
            medians[channel] = np.median(pixels)
    return medians
