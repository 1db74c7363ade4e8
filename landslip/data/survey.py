"""One pass over patches, in worker processes: what each file is and what its pixels hold."""

import logging
import sys
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from numpy.typing import NDArray
from tqdm import tqdm

from landslip.data.duplicates import fingerprint
from landslip.data.inputs import read_shape
from landslip.data.nodata import (
    FAR,
    NONFINITE,
    SENTINEL,
    ZERO,
    NoData,
    find_no_data,
    most_frequent,
)
from landslip.data.patches import PatchError, as_float32
from landslip.data.sampling import Sampled, pixels_kept, see_patch
from landslip.data.shard_tables import listed_patches
from landslip.data.source import PatchFiles, PatchReader
from landslip.io.arrays import read_arrays, write_arrays
from landslip.io.large_tables import count_rows

log = logging.getLogger(__name__)

# Patches that a worker looks at between two reports, at least.
_CHUNK = 64


@dataclass(frozen=True)
class Survey(Sampled):
    """What one pass over n patches found. All of pixels are of their values in float32."""

    sha256: NDArray[np.str_]
    """(n,) of the files; empty where a file cannot be read."""
    fault: NDArray[np.str_]
    """(n,) PatchError.fault, empty where the patch is good; below, such patches have zeros."""
    reason: NDArray[np.str_]
    """(n,) PatchError.reason."""
    detail: NDArray[np.str_]
    """(n,) PatchError.detail."""
    dtype: NDArray[np.str_]
    """(n,) of the file's pixels."""
    fingerprint: NDArray[np.uint64]
    """(n,) see landslip.data.duplicates."""
    nonfinite: NDArray[np.int64]
    """(n, channel) pixels that are NaN or infinite."""
    sentinel: NDArray[np.int64]
    """(n, channel) finite pixels whose value means no data."""
    sentinel_value: NDArray[np.float32]
    """(n, channel) the most frequent value of those, NaN where there is none."""
    zero: NDArray[np.int64]
    """(n, channel) pixels that are zero in a whole group of channels at once."""
    constant: NDArray[np.bool_]
    """(n, channel) no two pixels with data differ: no data."""
    high: NDArray[np.float32]
    """(n, channel) greatest pixel with data, NaN where there is none."""
    outside: NDArray[np.int64]
    """(n, channel) pixels with data outside the plausible range."""


_NAMES = [field.name for field in fields(Survey)]


@dataclass(frozen=True)
class _Task:
    """What a worker looks for; plain, as it travels to another process."""

    reader: PatchReader
    channels: int
    shape: tuple[int, int] | None
    no_data: NoData
    sample: int


def survey_patches(
    rows: pd.DataFrame,
    *,
    reader: PatchReader,
    of: int,
    channels: int,
    shape: tuple[int, int] | None,
    no_data: NoData,
    workers: int,
) -> Survey:
    """Read every patch once.

    Parameters
    ----------
    rows
        Patches of one shard: the reader's columns.
    reader
        Of the patches.
    of
        How many patches there are in all: the more, the fewer pixels of each are sampled.
    channels, shape
        Length of the last axis, and rows and columns, that every patch must have.
    no_data
        What tells pixels without data.
    workers
        Processes; 1: none but this one. The result does not depend on it.
    """
    pixels = 1 if shape is None else shape[0] * shape[1]
    task = _Task(reader, channels, shape, no_data, pixels_kept(of, pixels))
    n = len(rows)
    runs = reader.runs(rows, _CHUNK)
    # loky's workers do not run the caller's script again, as spawn and forkserver would
    pool = Parallel(n_jobs=min(workers, len(runs)) or 1, backend="loky", return_as="generator")
    parts: list[Survey] = []
    done = 0
    with tqdm(total=n, unit="patch", disable=not sys.stderr.isatty()) as bar:
        for part in pool(delayed(_survey)(rows.iloc[run], task) for run in runs):
            parts.append(part)
            before, done = done, done + len(part.sha256)
            bar.update(done - before)
            if bar.disable and (done * 10 // n > before * 10 // n):
                log.info("looked at %d of %d patches", done, n)
    return _joined(parts, runs) if parts else _survey(rows, task)


def survey_shard(
    listing: Path,
    listing_summary: Path,
    *,
    split: str,
    shard: int,
    shards: int,
    channels: int,
    no_data: NoData,
    workers: int,
    target: Path,
    reader: PatchReader | None = None,
) -> None:
    """Survey one shard of a split's patches; `target` is an .npz. See `survey_patches`.

    Parameters
    ----------
    listing, listing_summary
        As `landslip.data.inputs.write_listing` writes them.
    split
        train or test.
    shard, shards
        Which of how many, counted from 0.
    channels, no_data, workers
        See `survey_patches`.
    target
        The .npz file to write.
    reader
        Of the patches; None: they are files.
    """
    reader = reader or PatchFiles(channels)
    rows = listed_patches(listing, reader.columns, split=split, shard=shard, shards=shards)
    log.info("looking at %d %s patches, shard %d of %d", len(rows), split, shard + 1, shards)
    survey = survey_patches(
        rows,
        reader=reader,
        of=count_rows(listing),
        channels=channels,
        shape=read_shape(listing_summary),
        no_data=no_data,
        workers=workers,
    )
    write_survey(target, survey)


def write_survey(target: Path, survey: Survey) -> None:
    """Write a survey as .npz."""
    write_arrays(target, **{name: getattr(survey, name) for name in _NAMES})


def read_survey(path: Path) -> Survey:
    """Read what `write_survey` wrote; a damaged file is refused."""
    return Survey(**read_arrays(path, _NAMES))


def _joined(parts: Sequence[Survey], runs: Sequence[NDArray[np.intp]]) -> Survey:
    """Surveys of runs as one, in the table's order."""
    order = np.argsort(np.concatenate(runs))
    return Survey(
        **{name: np.concatenate([getattr(p, name) for p in parts])[order] for name in _NAMES}
    )


def _survey(rows: pd.DataFrame, task: _Task) -> Survey:
    """Read a few patches."""
    n, channels = len(rows), task.channels
    texts = {name: [""] * n for name in ("sha256", "fault", "reason", "detail", "dtype")}
    keys = np.zeros(n, np.uint64)
    nonfinite, sentinel, zero, outside = np.zeros((4, n, channels), np.int64)
    constant = np.zeros((n, channels), np.bool_)
    low, high, value, magnitude = np.full((4, n, channels), np.nan, np.float32)
    sample = np.full((n, task.sample, channels), np.nan, np.float32)
    for i, found in enumerate(task.reader.read(rows, task.shape)):
        texts["sha256"][i] = found.sha256
        if isinstance(found, PatchError):
            texts["fault"][i], texts["reason"][i] = found.fault, found.reason
            texts["detail"][i] = found.detail
            continue
        patch = found.pixels
        texts["dtype"][i] = str(patch.dtype.newbyteorder("="))
        bands = np.ascontiguousarray(as_float32(patch).transpose(2, 0, 1)).reshape(channels, -1)
        codes = find_no_data(bands, task.no_data)
        if codes is not None:
            nonfinite[i] = np.count_nonzero(codes == NONFINITE, axis=1)
            zero[i] = np.count_nonzero(codes == ZERO, axis=1)
            odd = (codes == FAR) | (codes == SENTINEL)
            sentinel[i] = np.count_nonzero(odd, axis=1)
            for channel in np.flatnonzero(sentinel[i]).tolist():
                value[i, channel] = most_frequent(bands[channel, odd[channel]])
        seen = see_patch(bands, codes)
        keys[i] = fingerprint(bands)
        low[i], high[i], magnitude[i] = seen.low, seen.high, seen.magnitude
        constant[i] = ~(low[i] < high[i])
        for channel, (least, greatest) in enumerate(task.no_data.plausible):
            if low[i, channel] < least or high[i, channel] > greatest:
                values = bands[channel]
                outside[i, channel] = np.count_nonzero((values < least) | (values > greatest))
        sample[i] = seen.sample[:, : task.sample].T
    return Survey(
        **{name: np.array(values, np.str_) for name, values in texts.items()},
        fingerprint=keys,
        nonfinite=nonfinite,
        sentinel=sentinel,
        sentinel_value=value,
        zero=zero,
        constant=constant,
        low=low,
        high=high,
        outside=outside,
        magnitude=magnitude,
        sample=sample,
    )
