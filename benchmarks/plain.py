"""The plain ways: one patch at a time with scipy.stats, np.quantile of everything stacked."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray
from scipy import stats

QUANTILES = (0.01, 0.05, 0.50, 0.95, 0.99)


def plain_statistics(patches: h5py.Dataset | NDArray[np.float32]) -> NDArray[np.float64]:
    """Seven statistics (n, channel, 7) of patches (n, channel, row, column), one at a time."""
    table = []
    for i in range(len(patches)):
        row = []
        for channel in patches[i]:
            pixels = channel.ravel()
            row.append(
                [
                    np.mean(pixels),
                    np.median(pixels),
                    np.min(pixels),
                    np.max(pixels),
                    np.std(pixels),
                    stats.skew(pixels),
                    stats.kurtosis(pixels),
                ]
            )
        table.append(row)
    return np.array(table, np.float64)


def plain_scaling(stacked: NDArray[np.float32]) -> NDArray[np.float64]:
    """Mean, std and quantiles (channel, 7) of patches (n, channel, row, column) in memory."""
    table = []
    for number in range(stacked.shape[1]):
        pixels = stacked[:, number].ravel()
        quantiles = np.quantile(pixels, QUANTILES)
        mean, std = np.mean(pixels, dtype=np.float64), np.std(pixels, dtype=np.float64)
        table.append([mean, std, *quantiles])
    return np.array(table)


def plain_store(
    paths: Sequence[Path],
    channels: Sequence[str],
    indices: Mapping[str, tuple[str, str]],
    target: Path,
) -> NDArray[np.float32]:
    """Load every .npy (row, column, band), append the indices, stack all and write HDF5."""
    patches = []
    for path in paths:
        bands = np.load(path, allow_pickle=False).astype(np.float32).transpose(2, 0, 1)
        named = dict(zip(channels, bands, strict=True))
        ratios = [
            np.clip((named[a] - named[b]) / (named[a] + named[b] + 1e-10), -1, 1)
            for a, b in indices.values()
        ]
        patches.append(np.concatenate([bands, np.stack(ratios)]))
    stacked = np.stack(patches)
    with h5py.File(target, "w") as file:
        file["patches"] = stacked
    return stacked
