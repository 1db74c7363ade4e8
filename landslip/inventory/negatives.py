"""Draws windows without a landslide by a stated design, more of those that look like one."""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from landslip.io.files import InputError

RIVER, BARE, STEEP, OTHER = "river", "bare", "steep", "other"
HARD = (RIVER, BARE, STEEP)

# Of NDVI, below: ground without plants; of NDWI, above, and of VV in dB, below: water.
_BARE_NDVI, _WATER_NDWI, _WATER_VV = 0.3, 0.0, -19.0
# Shares of a window: bare from, water of a river bed from and to.
_BARE_SHARE, _RIVER_BARE, _RIVER_WATER = 0.3, 0.05, (0.02, 0.5)
# dB: means of two orbits that far apart, or pixels of one that far spread. Of 2,264 real patches
# of land without a landslide 3 in 10 lie above either.
_STEEP_ORBITS, _STEEP_SPREAD = 6.0, 5.0


@dataclass(frozen=True, kw_only=True)
class Negatives:
    """The design of the draw; one of share and per_positive is given."""

    share: float | None = None
    """Of the windows that may be drawn, those that are."""
    per_positive: float | None = None
    """Windows drawn for each positive one."""
    min_distance: float = 0.0
    """Metres to the nearest landslide, at least."""
    hard: float = 0.0
    """Share of the drawn ones that is steep, bare or a river bed, as far as there are such."""

    def __post_init__(self) -> None:
        if (self.share is None) == (self.per_positive is None):
            raise ValueError("give one of share and per_positive")


@dataclass(frozen=True, kw_only=True)
class Draw:
    """Windows that were drawn."""

    chosen: NDArray[np.int64]
    """(k,) numbers of windows, ascending."""
    inclusion: NDArray[np.float64]
    """(k,) probability with which each was to be drawn; 1 / inclusion is its weight."""
    notes: list[str]
    """What the design asks for and the windows do not give, with counts."""


def draw_negatives(
    stratum: ArrayLike,
    distance: ArrayLike,
    positives: int,
    design: Negatives,
    rng: np.random.Generator,
) -> Draw:
    """Draw at random and without replacement in each stratum.

    Parameters
    ----------
    stratum : (n,) str
        Of the windows without a landslide that were seen; those of HARD count as hard.
    distance : (n,)
        Metres to the nearest landslide; nearer ones than `design.min_distance` are not drawn, and
        no weight speaks for them.
    positives
        How many windows are landslides.
    design
        How many, and which.
    rng
        Is advanced.

    Returns
    -------
    Draw
        With inclusion k / n in a stratum of n of which k are drawn. Of each stratum at least one
        is, so that every window that may be drawn has a chance, and the sum of value / inclusion
        estimates the sum over all of them without bias (Horvitz and Thompson 1952).

    Raises
    ------
    InputError
        No window may be drawn.
    """
    strata, metres = np.asarray(stratum).astype(str), np.asarray(distance, np.float64)
    may = metres >= design.min_distance
    if not may.any():
        raise InputError(
            f"none of {len(strata)} windows without a landslide lies {design.min_distance:g} m or "
            "more from one; set negatives.min_distance lower, or name scenes with more land"
        )
    names, sizes = np.unique(strata[may], return_counts=True)
    if design.share is not None:
        wanted = round(design.share * may.sum())
    else:
        assert design.per_positive is not None
        wanted = round(design.per_positive * positives)
    of_strata = dict(zip(names.tolist(), sizes.tolist(), strict=True))
    counts = _shared_out(of_strata, wanted, design)
    chosen, inclusion = [], []
    for name, size in zip(names, sizes, strict=True):
        rows = np.flatnonzero(may & (strata == name))
        count = counts[str(name)]
        chosen.append(rng.choice(rows, count, replace=False))
        inclusion.append(np.full(count, count / size))
    rows = np.concatenate(chosen)
    order = np.argsort(rows)
    return Draw(
        chosen=rows[order].astype(np.int64),
        inclusion=np.concatenate(inclusion)[order],
        notes=_shortfalls(of_strata, wanted, design),
    )


def _shortfalls(sizes: Mapping[str, int], wanted: int, design: Negatives) -> list[str]:
    """What the design asks for and strata of these sizes do not give."""
    there, key = sum(sizes.values()), "share" if design.per_positive is None else "per_positive"
    notes = []
    if wanted > there:
        notes.append(
            f"negatives.per_positive asks for {wanted:,} windows without a landslide, and "
            f"{there:,} may be drawn: all are"
        )
    elif wanted < len(sizes):
        notes.append(
            f"negatives.{key} asks for {wanted:,} windows without a landslide; {len(sizes):,} are "
            "drawn, one of each stratum"
        )
    hard = sum(size for name, size in sizes.items() if name in HARD)
    if hard < (asked := round(design.hard * min(wanted, there))):
        notes.append(
            f"negatives.hard asks for {asked:,} windows that look like a landslide, and {hard:,} "
            "may be drawn: all are"
        )
    return notes


def _shared_out(sizes: Mapping[str, int], wanted: int, design: Negatives) -> dict[str, int]:
    """How many to draw of each stratum: the hard ones alike, then the rest; at least one each."""
    counts = dict.fromkeys(sizes, 1)
    left = max(min(wanted, sum(sizes.values())) - len(sizes), 0)
    hard = [name for name in sizes if name in HARD]
    rest = [name for name in sizes if name not in HARD]
    for_hard = min(round(design.hard * wanted) - len(hard), left) if hard else 0
    for_hard = max(for_hard, 0)
    left += _deal(counts, sizes, hard, for_hard) - for_hard
    left = _deal(counts, sizes, rest, left)
    # Where there is too little of the rest, hard ones fill the number.
    _deal(counts, sizes, hard, left)
    return counts


def _deal(counts: dict[str, int], sizes: Mapping[str, int], names: Sequence[str], n: int) -> int:
    """Add n to the counts of some strata, alike as far as their sizes allow; what is left over."""
    open_ = [name for name in names if counts[name] < sizes[name]]
    while n and open_:
        each, extra = divmod(n, len(open_))
        for at, name in enumerate(open_):
            more = min(each + (at < extra), sizes[name] - counts[name])
            counts[name] += more
            n -= more
        open_ = [name for name in open_ if counts[name] < sizes[name]]
    return n


def window_measures(
    pixels: NDArray[np.float32], channels: Sequence[str], reflectance_offset: float
) -> dict[str, NDArray[np.float64]]:
    """What tells steep, bare and river windows, as far as there are channels for it.

    Parameters
    ----------
    pixels : (n, channel, row, column)
        Reflectance x 1e4 and the offset, backscatter in dB; NaN has no data.
    channels
        Names, as `landslip.scene.layers.CHANNELS` has them.
    reflectance_offset
        Taken off the reflectance before indices are made.

    Returns
    -------
    Name -> (n,)
        `bare` and `water` (shares of the pixels with data), `orbits` (dB between the means of VV
        of both orbits) and `spread` (standard deviation of VV in dB, the larger of the orbits);
        NaN where a window has no data, and without a key where there is no channel.
    """
    image = {name: pixels[:, at].astype(np.float64) for at, name in enumerate(channels)}
    for name in {"red", "green", "nir"} & set(image):
        image[name] -= reflectance_offset
    found: dict[str, NDArray[np.float64]] = {}
    vv = [image[name] for name in ("desc_vv", "asc_vv") if name in image]
    with warnings.catch_warnings():
        # A window without data has no mean; that is what NaN says.
        warnings.simplefilter("ignore", RuntimeWarning)
        if {"red", "nir"} <= set(image):
            plants = _index(image["nir"], image["red"])
            dry = np.ones_like(plants, np.bool_)
            if "green" in image:
                wet = _index(image["green"], image["nir"])
                found["water"] = _share(wet > _WATER_NDWI, wet)
                dry = ~(wet > _WATER_NDWI)
            found["bare"] = _share((plants < _BARE_NDVI) & dry, plants)
        elif vv:
            found["water"] = np.nanmax([_share(each < _WATER_VV, each) for each in vv], axis=0)
        if len(vv) == 2:
            means = [np.nanmean(each, axis=(1, 2)) for each in vv]
            found["orbits"] = np.abs(means[0] - means[1])
        if vv:
            found["spread"] = np.nanmax([np.nanstd(each, axis=(1, 2)) for each in vv], axis=0)
    return found


def _index(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    total = a + b
    index: NDArray[np.float64] = np.divide(a - b, total, out=np.zeros_like(total), where=total > 0)
    index[np.isnan(total)] = np.nan
    return index


def _share(mask: NDArray[np.bool_], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Share of each window's pixels with data where the mask holds."""
    share: NDArray[np.float64] = np.nanmean(np.where(np.isnan(values), np.nan, mask), axis=(1, 2))
    return share


def hard_stratum(measures: Mapping[str, ArrayLike], n: int) -> NDArray[np.str_]:
    """Stratum (n,) of each window: river, bare, steep, in this order, or other.

    Parameters
    ----------
    measures : name -> (n,)
        As `window_measures` gives them; NaN and absent ones tell nothing.
    n
        Windows.

    Notes
    -----
    A river bed has from 2 to 50 % of water and, where the optics tell, at least 5 % of bare ground;
    bare is from 30 % of ground without plants on; steep where VV of both orbits is 6 dB apart, for
    a slope that faces one turns away from the other, or, of one orbit, spreads by 5 dB.
    """
    nothing = np.full(n, np.nan)
    given = {name: np.asarray(values, np.float64) for name, values in measures.items()}
    bare, water = given.get("bare", nothing), given.get("water", nothing)
    low, high = _RIVER_WATER
    river = (water >= low) & (water <= high) & (np.isnan(bare) | (bare >= _RIVER_BARE))
    steep = given.get("orbits", nothing) >= _STEEP_ORBITS
    alone = np.isnan(given.get("orbits", nothing))
    steep |= alone & (given.get("spread", nothing) >= _STEEP_SPREAD)
    return np.select([river, bare >= _BARE_SHARE, steep], HARD, OTHER)
