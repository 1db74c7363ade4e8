"""How new patches differ from the training's, and which known mistake explains it."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from landslip.bundle.distributions import (
    FEWEST,
    PixelSample,
    by_chance,
    distance,
    orbit_pairs,
    outside,
)
from landslip.bundle.record import SURFACES, BundleRecord, DistributionsRecord
from landslip.io.files import InputError

Values = NDArray[np.float64]

# Kolmogorov's distance from the training's distribution that counts, of pixels of one channel.
_FAR = 0.35
# A correction explains a difference that is so large, and that it makes so much smaller.
_LARGE, _EXPLAINED = 0.5, 0.5
# Shares of pixels that are 0 where the training has fewer.
_ZEROS = 0.005
# Fisher's z of the correlation of two orbits: standard errors that count, and the least rise.
_SIGMAS, _RISE = 4.0, 0.4
_STANDARD_OFFSET = 1000.0


def find_drift(record: BundleRecord, sample: PixelSample) -> dict[str, Any]:
    """Compare new patches with the training's, channel by channel, land and water apart.

    Returns
    -------
    dict
        patches (surface -> how many), channels (a dict for each channel and surface: its distance
        from the training, share outside the training's 1 to 99 %, medians), causes (cause, number
        found, number expected, sentence), drifted, sentences.
    """
    reference = record["distributions"]
    causes = list(_causes(record, sample))
    channels = [dict(row) for row in _compare(reference, sample)]
    far = [row for row in channels if row["far"]]
    sentences = [cause["sentence"] for cause in causes]
    if far and not causes:
        worst = max(far, key=lambda row: float(row["distance"]))
        sentences.append(
            f"{len(far)} of {len(channels)} distributions are far from the training's; farthest "
            f"is {worst['channel']} over {worst['surface']}, with a distance of "
            f"{worst['distance']:.2f} (0: alike, 1: wholly apart) and a median of "
            f"{worst['median']:.4g} where the training has {worst['training_median']:.4g}. No "
            "known mistake explains it: another place, season or sensor?"
        )
    return {
        "patches": {surface: int(sample.on(surface).sum()) for surface in SURFACES},
        "training_patches": dict(reference["patches"]),
        "channels": channels,
        "causes": causes,
        "drifted": bool(causes or far),
        "sentences": sentences,
    }


def refuse_drift(drift: Mapping[str, Any]) -> None:
    """Refuse patches that differ.

    Raises
    ------
    InputError
        With every sentence on how.
    """
    if drift["drifted"]:
        listed = "\n".join(f"- {sentence}" for sentence in drift["sentences"])
        raise InputError(
            f"the patches differ from the training's:\n{listed}\nMend them, or let them pass with "
            "predict.on_drift: warn"
        )


def _compare(reference: DistributionsRecord, sample: PixelSample) -> Iterator[dict[str, Any]]:
    for surface in SURFACES:
        own = sample.on(surface)
        if own.sum() < FEWEST:
            continue
        chance = by_chance(int(own.sum()))
        for name in sample.recipe.channels:
            quantiles = reference["quantiles"][surface].get(name)
            values = sample.of(name)[own]
            if quantiles is None or reference["patches"][surface] < FEWEST:
                continue
            if not np.isfinite(values).any():
                continue
            far = distance(values, quantiles)
            yield {
                "channel": name,
                "surface": surface,
                "distance": far,
                "outside": outside(values, quantiles),
                "median": float(np.nanmedian(values)),
                "training_median": float(quantiles[len(quantiles) // 2]),
                "far": bool(far > max(_FAR, chance)),
            }


def _causes(record: BundleRecord, sample: PixelSample) -> Iterator[dict[str, Any]]:
    yield from _unit(sample)
    for cause, shift in _offset(record, sample):
        # Water is told by how dark it is: what follows would take it for land.
        sample.see_water_with((record["conventions"]["reflectance_offset"] or 0.0) - shift)
        yield cause
    yield from _linear(record, sample)
    yield from _flattened(record, sample)
    yield from _zeros(record, sample)


def _cause(name: str, found: float, expected: float, sentence: str) -> dict[str, Any]:
    return {"cause": name, "found": found, "expected": expected, "sentence": sentence}


def _unit(sample: PixelSample) -> Iterator[dict[str, Any]]:
    """Reflectance from 0 to 1 where 10^4 times it is expected."""
    names = sample.channels("reflectance")
    medians = [_median(sample.of(name)) for name in names]
    if names and all(0 < value < 3 for value in medians):
        found = float(np.median(medians))
        yield _cause(
            "reflectance_from_0_to_1", found, found * 1e4,
            f"Reflectance lies at {found:.3f} in the median, as numbers from 0 to 1 do; the "
            "training's are 10^4 times that, and the offset.",
        )  # fmt: skip


def _offset(record: BundleRecord, sample: PixelSample) -> Iterator[tuple[dict[str, Any], float]]:
    """The least pixels of land patches, which an offset moves as a whole; and what mends them."""
    names, land = sample.channels("reflectance"), sample.on("land")
    lows = record["distributions"]["lows"]["land"]
    trained = {name: quantiles for name in names if (quantiles := lows.get(name))}
    if land.sum() < FEWEST or not trained:
        return
    offset = record["conventions"]["reflectance_offset"] or _STANDARD_OFFSET

    def far(shift: float) -> float:
        own = [distance(sample.lows(name)[land] + shift, low) for name, low in trained.items()]
        return float(np.median(own))

    now = far(0.0)
    found = float(np.median([_median(sample.lows(name)[land]) for name in trained]))
    expected = float(np.median([low[len(low) // 2] for low in trained.values()]))
    for cause, shift, words in (
        ("reflectance_offset_missing", offset, f"{offset:g} too low: the offset is missing"),
        ("reflectance_offset_doubled", -offset, f"{offset:g} too high: the offset is in it twice"),
    ):
        if now >= _LARGE and far(shift) <= _EXPLAINED * now:
            missing_offset = _cause(
                cause, found, expected,
                f"The darkest pixels of land patches lie at {found:.0f} in the reflectance "
                f"channels, the training's at {expected:.0f}: {words}. Shifted by {shift:+g}, "
                f"their distance from the training falls from {now:.2f} to {far(shift):.2f}.",
            )  # fmt: skip
            yield missing_offset, shift


def _linear(record: BundleRecord, sample: PixelSample) -> Iterator[dict[str, Any]]:
    """Backscatter that is nowhere negative, as power and amplitude are."""
    names = sample.channels("backscatter")
    known = [sample.of(name)[np.isfinite(sample.of(name))] for name in names]
    if not names or not all(values.size and (values >= 0).all() for values in known):
        return
    ways: dict[str, Callable[[Values], Values]] = {
        "power": lambda values: 10 * np.log10(values),
        "amplitude": lambda values: 20 * np.log10(values),
    }
    medians = [record["distributions"]["quantiles"]["land"].get(name) for name in names]
    expected = float(np.median([each[len(each) // 2] for each in medians if each] or [-10.0]))
    values = np.concatenate(known)
    values = values[values > 0]
    if not values.size:
        return
    as_db = {way: float(np.median(convert(values))) for way, convert in ways.items()}
    way = min(as_db, key=lambda name: abs(as_db[name] - expected))
    factor = {"power": 10, "amplitude": 20}[way]
    yield _cause(
        "radar_linear_instead_of_db", float(np.median(values)), expected,
        f"Backscatter is nowhere negative, {np.median(values):.3g} in the median, as linear {way} "
        f"is; the training's is in dB, {expected:.1f} in the median: take {factor} log10.",
    )  # fmt: skip


def _flattened(record: BundleRecord, sample: PixelSample) -> Iterator[dict[str, Any]]:
    """Slopes that face one orbit are bright in it and dark in the other, unless flattened."""
    if record["conventions"]["terrain_flattened"] is not False:
        return
    trained, found = record["distributions"]["orbits"], sample.orbits()
    land = int(sample.on("land").sum())
    both = [pair for pair in found if pair in trained]
    if not both or land < FEWEST or len(both) < len(orbit_pairs(sample.recipe)):
        return
    rises = [found[pair] - trained[pair] for pair in both]
    error = np.sqrt(1 / (land - 3) + 1 / max(record["distributions"]["patches"]["land"] - 3, 1))
    sigmas = [(_fisher(found[pair]) - _fisher(trained[pair])) / error for pair in both]
    if min(rises) > _RISE and min(sigmas) > _SIGMAS:
        pair = both[0]
        yield _cause(
            "radar_terrain_flattened", found[pair], trained[pair],
            f"Over land the means of {pair} correlate by {found[pair]:+.2f}, the training's by "
            f"{trained[pair]:+.2f}: the slopes' part is taken out, as in RTC products (gamma0); "
            "the training's backscatter is not terrain-flattened.",
        )  # fmt: skip


def _zeros(record: BundleRecord, sample: PixelSample) -> Iterator[dict[str, Any]]:
    """Exact zeros, which no sensor measures in numbers."""
    trained = record["distributions"]["zeros"]
    found = {name: sample.zeros(name) for name in sample.recipe.channels}
    more = [name for name in found if found[name] > trained.get(name, 0.0) + _ZEROS]
    if more:
        worst = max(more, key=lambda name: found[name])
        yield _cause(
            "zeros_as_data", found[worst], trained.get(worst, 0.0),
            f"{100 * found[worst]:.1f} % of the pixels of {worst} are exactly 0, the training's "
            f"{100 * trained.get(worst, 0.0):.1f} % ({len(more)} channels have more): zeros that "
            "mean no data? Give them as NaN.",
        )  # fmt: skip


def _median(values: Values) -> float:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if known.size else float("nan")


def _fisher(r: float) -> float:
    return float(np.arctanh(np.clip(r, -0.999999, 0.999999)))
