"""What is physically odd about a data set's pixels, with the number that tells: for a person."""

from collections.abc import Iterator, Mapping
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from landslip.data.nodata import polarisations
from landslip.data.summary import Summary
from landslip.data.units import UnitRange, split_samples

# Bare ground and snow lie about zero, plants above; less in the median means that bands are wrong.
_NDVI = -0.05
# Different orbits and bands never agree so well, not even red and green over snow.
_ALIKE = 0.9999
_FEWEST = 100


def find_oddities(
    summary: Summary,
    channels: Mapping[str, str],
    units: Mapping[str, UnitRange],
    ndvi: tuple[str, str] | None,
) -> list[str]:
    """Sentences about the whole data set, or of the one split that is odd.

    Parameters
    ----------
    summary
        What the surveys found.
    channels
        Name -> unit.
    units
        By name.
    ndvi
        The channels (near infrared, red), where config says which they are.
    """
    parts = {
        split: dict(_oddities(sample, channels, units, ndvi))
        for split, sample in split_samples(summary)
    }
    everywhere = dict(_oddities(summary.sample.reshape(-1, len(channels)), channels, units, ndvi))
    sentences = []
    for key in dict.fromkeys(key for found in (everywhere, *parts.values()) for key in found):
        odd = [split for split, found in parts.items() if key in found]
        if key in everywhere and len(odd) in (0, len(parts)):
            sentences.append(f"{everywhere[key]}?")
        else:
            sentences += [f"In {split}: {parts[split][key]}?" for split in odd]
    return sentences


def _oddities(
    sample: NDArray[np.float32],
    channels: Mapping[str, str],
    units: Mapping[str, UnitRange],
    ndvi: tuple[str, str] | None,
) -> Iterator[tuple[tuple[str, ...], str]]:
    """What an oddity is of, to tell it from others, and its sentence."""
    names = list(channels)
    quantity = {name: units[unit].quantity for name, unit in channels.items()}

    def pixels_of(first: str, second: str) -> NDArray[np.float64]:
        """(2, pixel) where both channels are plausible."""
        both: NDArray[np.float64] = sample[:, [names.index(first), names.index(second)]].astype(
            np.float64
        )
        low, high = np.array([units[channels[name]].plausible for name in (first, second)]).T
        return both.compress(((both >= low) & (both <= high)).all(axis=1), axis=0).T

    if ndvi and all(quantity[name] == "reflectance" for name in ndvi):
        value = _bright_ndvi(*pixels_of(*ndvi))
        if value < _NDVI:
            yield (
                ("ndvi", *ndvi),
                f"NDVI is {value:.2f} in the median of the brighter half of the pixels, and land "
                f"is not below 0: are {ndvi[0]} and {ndvi[1]} exchanged",
            )
    for vv, vh in polarisations([name for name in names if quantity[name] == "backscatter"]):
        first, second = pixels_of(vv, vh)
        if first.size >= _FEWEST and (above := float(np.median(first - second))) < 0:
            yield (
                ("polarisation", vv, vh),
                f"{vv} lies {-above:.1f} dB below {vh} in the median, and VV is 5 to 10 dB above "
                "VH: are they exchanged",
            )
    for one, other in combinations(names, 2):
        if channels[one] != channels[other]:
            continue
        first, second = pixels_of(one, other)
        if first.size >= _FEWEST and first.std() > 0 and second.std() > 0:
            alike = float(np.corrcoef(first, second)[0, 1])
            if alike > _ALIKE:
                yield (
                    ("alike", one, other),
                    f"{one} and {other} are alike (correlation {alike:.5f}): is one a copy",
                )


def _bright_ndvi(nir: NDArray[np.float64], red: NDArray[np.float64]) -> float:
    """Median NDVI of the pixels that are brighter than the median in either band; else NaN.

    Water is dark in both bands whichever is which, so that the brighter half is land where there
    is any.
    """
    if nir.size < _FEWEST:
        return np.nan
    brightness, total = np.maximum(nir, red), nir + red
    land = (brightness >= np.median(brightness)) & (total > 0)
    return float(np.median((nir - red)[land] / total[land])) if land.any() else np.nan
