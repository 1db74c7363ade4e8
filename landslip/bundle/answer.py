"""Answers for prepared patches: routed by sensors and budget, combined, decided."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from landslip.bundle.members import Members
from landslip.bundle.prepare import Images, Patches
from landslip.bundle.record import BundleRecord, CascadeRecord, CombinationRecord
from landslip.bundle.sensors import find_combination, member_of
from landslip.bundle.water import is_water
from landslip.ensemble.rules import FittedRule

Floats = NDArray[np.float64]

# Images in memory at once, as many as the training's own prediction holds: how networks cut them
# into batches is part of the bits.
_BLOCK = 256

FULL, CHEAP, WATER = "full", "cheap", "water"


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a bundle says of n patches."""

    probability: Floats
    """(n,) NaN where no member could answer."""
    landslide: NDArray[np.float64]
    """(n,) 1 above the threshold, 0 else, NaN where there is no answer."""
    members: Floats
    """(n, member) NaN where a member was left out: a sensor is missing, or the budget spared it."""
    member_names: list[str]
    sensors: list[str]
    """(n,) those that members read, as `optical+descending`; empty where there is no answer."""
    route: list[str]
    """(n,) full: all members that could; cheap: the budget's cheap members alone; water: none."""
    threshold: Floats
    """(n,) in force; NaN where there is no answer."""

    def __len__(self) -> int:
        return len(self.probability)

    def frame(self, ids: Sequence[str]) -> pd.DataFrame:
        """As a table: id, probability, landslide, sensors, route, threshold, a column a member."""
        return pd.DataFrame(
            {
                "id": pd.Series(list(ids), dtype="str"),
                "probability": self.probability,
                "landslide": pd.array(self.landslide, dtype="Float64").astype("Int8"),
                "sensors": pd.Series(self.sensors, dtype="str"),
                "route": pd.Series(self.route, dtype="str"),
                "threshold": self.threshold,
                **{name: self.members[:, at] for at, name in enumerate(self.member_names)},
            }
        )


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A bundle, a budget, and the threshold of each combination."""

    record: BundleRecord
    members: Members
    budget: str
    decide: Callable[[CombinationRecord], float]

    @property
    def names(self) -> list[str]:
        """Of all members."""
        return [member["name"] for member in self.record["members"]]


def answer_patches(patches: Patches, asked: Asked) -> Answer:
    """Answer, group by group of patches with the same sensors."""
    n, names = len(patches), asked.names
    scores = np.full((n, len(names)), np.nan)
    probability, decided, thresholds = np.full((3, n), np.nan)
    sensors, route = np.full(n, "", object), np.full(n, "", object)
    for present, rows in _groups(patches):
        plan = _plan(asked, present, patches.recipe.sensors)
        if plan is None:
            continue
        for start in range(0, len(rows), _BLOCK):
            block = rows[start : start + _BLOCK]
            images = patches.images(block)
            said = _answer(asked, plan, images, patches.recipe.names)
            for column, values in said.scores.items():
                scores[block, names.index(member_of(column))] = values
            probability[block], decided[block] = said.probability, said.landslide
            thresholds[block], route[block] = said.threshold, said.route
            sensors[block] = "+".join(plan.combination["sensors"])
    return Answer(
        probability=probability,
        landslide=decided,
        members=scores,
        member_names=names,
        sensors=[str(name) for name in sensors],
        route=[str(name) for name in route],
        threshold=thresholds,
    )


@dataclass(frozen=True, kw_only=True)
class _Plan:
    """How a group of patches is answered."""

    combination: CombinationRecord
    present: tuple[str, ...]
    cascade: CascadeRecord | None
    skip_water: bool


@dataclass(frozen=True, kw_only=True)
class _Said:
    scores: dict[str, Floats]
    """Column -> (n,)."""
    probability: Floats
    landslide: Floats
    threshold: float
    route: NDArray[np.object_]


def _groups(patches: Patches) -> Iterator[tuple[tuple[str, ...], NDArray[np.int64]]]:
    """Sensors that are there, and the patches that have just them."""
    sensors = patches.recipe.sensors
    if not len(patches):
        return
    kinds, kind = np.unique(patches.present, axis=0, return_inverse=True)
    for number, present in enumerate(kinds):
        rows = np.flatnonzero(kind.ravel() == number)
        yield tuple(name for name, there in zip(sensors, present, strict=True) if there), rows


def _plan(asked: Asked, present: Sequence[str], sensors: Sequence[str]) -> _Plan | None:
    """The combination of the sensors that are there; of fewer, where only fewer are of use."""
    record = asked.record
    whole = len(present) == len(sensors)
    if whole and asked.budget == "fast" and record["fast"] is not None:
        fast = record["fast"]
        return _Plan(combination=fast, present=tuple(present), cascade=None, skip_water=False)
    combination = find_combination(record["combinations"], present)
    if combination is None:
        return None
    balanced = asked.budget == "balanced"
    return _Plan(
        combination=combination,
        present=tuple(present),
        cascade=record["cascade"] if balanced and whole else None,
        skip_water=balanced and _tells_water(record, present),
    )


def _tells_water(record: BundleRecord, present: Sequence[str]) -> bool:
    """Whether these sensors tell water, on which the training has no landslide."""
    water = record["water"]
    if water is None or not water["skipped"]:
        return False
    sensor = {channel["name"]: channel["sensor"] for channel in record["channels"]}
    return {sensor[water["green"]], sensor[water["nir"]]} <= set(present)


def _answer(asked: Asked, plan: _Plan, images: Images, names: Sequence[str]) -> _Said:
    """One block."""
    n = len(images)
    scores: dict[str, Floats] = {}
    route = np.full(n, FULL, object)
    probability = np.zeros(n)
    threshold = asked.decide(plan.combination)
    open_rows = np.arange(n)
    water = asked.record["water"]
    if plan.skip_water and water is not None:
        wet = is_water(images, names, water)
        route[wet] = WATER
        open_rows = np.flatnonzero(~wet)
    if plan.cascade is not None:
        cheap, cascade = plan.cascade["cheap"], plan.cascade
        said = _score(asked, scores, cheap["columns"], images, open_rows, plan, n)
        first = FittedRule.from_json(cheap["rule"]).apply(said)
        low, high = first < cascade["low"], first > cascade["high"]
        # A decision is `probability > threshold` everywhere.
        above = np.nextafter(threshold, np.inf)
        probability[open_rows[low]] = np.minimum(first[low], threshold)
        probability[open_rows[high]] = np.maximum(first[high], min(above, 1.0))
        route[open_rows[low | high]] = CHEAP
        open_rows = open_rows[~(low | high)]
    if len(open_rows):
        columns = plan.combination["columns"]
        said = _score(asked, scores, columns, images, open_rows, plan, n)
        probability[open_rows] = FittedRule.from_json(plan.combination["rule"]).apply(said)
    return _Said(
        scores=scores,
        probability=probability,
        landslide=(probability > threshold).astype(np.float64),
        threshold=threshold,
        route=route,
    )


def _score(
    asked: Asked,
    scores: dict[str, Floats],
    columns: Sequence[str],
    images: Images,
    rows: NDArray[np.int64],
    plan: _Plan,
    n: int,
) -> Floats:
    """Scores (row, column), asking each member once; what is found is noted in `scores`."""
    new = [column for column in columns if column not in scores]
    if new and len(rows):
        chosen = images if len(rows) == len(images) else images[rows]
        found = asked.members.scores(new, chosen, plan.present)
        for place, column in enumerate(new):
            scores[column] = np.full(n, np.nan)
            scores[column][rows] = found[:, place]
    return (
        np.column_stack([scores[column][rows] for column in columns])
        if len(rows)
        else (np.empty((0, len(columns))))
    )
