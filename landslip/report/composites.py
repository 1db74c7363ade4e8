"""Colour pictures of patches: which channels make one, and how their values become colours."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Images = NDArray[np.float32]

_PERCENTILES = (2.0, 98.0)
_OPTICAL = ("red", "green", "blue")
_SAR = "sar"


class Composite(NamedTuple):
    """A picture and the channels that it shows as red, green and blue."""

    title: str
    channels: tuple[str, ...]
    """Three, or two whose mean is the third."""

    @property
    def legend(self) -> str:
        """What the colours are, where that needs saying: 'desc_vv, desc_vh, their mean'."""
        return "" if self.channels == _OPTICAL else ", ".join([*self.channels, "their mean"][:3])

    @property
    def colours(self) -> str:
        """The same in full: 'desc_vv in red, desc_vh in green, their mean in blue'."""
        shown = [*self.channels, "their mean"][:3]
        pairs = zip(shown, ("red", "green", "blue"), strict=True)
        return ", ".join(f"{name} in {colour}" for name, colour in pairs)


def choose_composites(modalities: Mapping[str, str]) -> list[Composite]:
    """The pictures that these channels allow.

    Parameters
    ----------
    modalities
        Channel -> modality, in the order of the store.

    Returns
    -------
    list
        Red, green and blue where there are channels of these names, else the first three
        channels, else the only ones; and, where there are two channels of the modality `sar`,
        the pseudo-RGB of the first two and their mean.
    """
    names = list(modalities)
    if set(_OPTICAL) <= set(names):
        found = [Composite("RGB", _OPTICAL)]
    else:
        # With one channel: grey, from the mean of it and itself.
        first = tuple(names[:3]) if len(names) > 1 else (names[0], names[0])
        found = [Composite("First channels", first)]
    sar = [name for name, modality in modalities.items() if modality == _SAR]
    if len(sar) >= 2:
        found.append(Composite("SAR", (sar[0], sar[1])))
    return found


def compose(patches: Images, channels: Sequence[str], composite: Composite) -> Images:
    """Colours of patches, (n, row, column, 3), 0 to 1.

    Each channel is stretched between the `limits` of all patches given, so that they can be
    compared with each other.

    Parameters
    ----------
    patches : (n, channel, row, column)
        In any unit.
    channels
        Names of the patches' channels.
    composite
        The channels to show.
    """
    planes = patches[:, [list(channels).index(name) for name in composite.channels]]
    if planes.shape[1] == 2:
        planes = np.concatenate([planes, planes.mean(axis=1, keepdims=True)], axis=1)
    stretched = np.stack([stretch(planes[:, index]) for index in range(3)], axis=-1)
    return stretched.astype(np.float32)


def limits(values: Images) -> tuple[float, float]:
    """The 2nd and 98th percentile of the typical patch, kept apart where they are equal.

    Medians over patches, not percentiles of all pixels: one bright cloud would darken all others.

    Parameters
    ----------
    values : (n, row, column)
        One channel, in any unit.
    """
    within = np.percentile(values, _PERCENTILES, axis=(1, 2))
    low, high = (float(value) for value in np.median(within, axis=1))
    return (low, high) if high > low else (low - 0.5, low + 0.5)


def stretch(values: Images) -> Images:
    """Values (n, row, column), from `limits` to 0 and 1; what lies outside is cut off."""
    low, high = limits(values)
    stretched: Images = np.clip((values - np.float32(low)) / np.float32(high - low), 0, 1)
    return stretched


def side_by_side(pictures: Images, gap: int = 2) -> Images:
    """Join pictures (n, row, column) or (..., colour) into one row, nothing between them.

    Returns
    -------
    (row, wide) with NaN in the gaps, or (row, wide, colour) with white
    """
    n, rows, columns, *colours = pictures.shape
    blank = 1 if colours else np.nan
    joined = np.full((rows, n * (columns + gap) - gap, *colours), blank, dtype=np.float32)
    for index, picture in enumerate(pictures):
        start = index * (columns + gap)
        joined[:, start : start + columns] = picture
    return joined
