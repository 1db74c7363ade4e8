"""Answers for prepared patches: routed by sensors and budget, combined, decided."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from landslip.bundle.members import Members
from landslip.bundle.prepare import Images, Patches
from landslip.bundle.record import BundleRecord, StageRecord
from landslip.bundle.water import is_water
from landslip.data.sensors import join_sensors
from landslip.ensemble.records import CombinationRecord
from landslip.ensemble.rules import FittedRule
from landslip.ensemble.sensors import find_combination, member_of
from landslip.io.arrays import Floats

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
    """(n,) full: all members that could; cheap: the first of them, who were sure; water: none."""
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
    found = _Found(len(patches), asked)
    for present, rows in _groups(patches):
        plan = _plan(asked, present, patches.recipe.sensors)
        if plan is None:
            continue
        found.sensors[rows] = join_sensors(plan.combination["sensors"])
        found.threshold[rows] = asked.decide(plan.combination)
        found.route[rows] = FULL
        # All that a stage leaves open are asked about together, as networks are slow with a few at
        # once.
        left, names = rows, patches.recipe.names
        for number in range(plan.passes):
            parts = [
                _spare(found, plan, number, patches.images(block), block, names)
                for block in _blocks(left)
            ]
            left = np.concatenate([left[:0], *parts])
        for block in _blocks(left):
            rule, columns = (
                FittedRule.from_json(plan.combination["rule"]),
                plan.combination["columns"],
            )
            scores = found.ask(columns, patches.images(block), block, plan.present)
            found.probability[block] = rule.apply(scores)
    return found.answer()


def _blocks(rows: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    return [rows[start : start + _BLOCK] for start in range(0, len(rows), _BLOCK)]


class _Found:
    """What is known of n patches, filled in place."""

    def __init__(self, n: int, asked: Asked) -> None:
        self.members, self.names = asked.members, asked.names
        self.water = asked.record["water"]
        self.scores = np.full((n, len(self.names)), np.nan)
        self.probability, self.threshold = np.full((2, n), np.nan)
        self.sensors, self.route = np.full(n, "", object), np.full(n, "", object)

    def ask(
        self,
        columns: Sequence[str],
        images: Images,
        rows: NDArray[np.int64],
        present: Sequence[str],
    ) -> Floats:
        """Scores (row, column) of some patches; members that have answered are not asked again."""
        places = np.array([self.names.index(member_of(column)) for column in columns])
        new = np.isnan(self.scores[np.ix_(rows, places)]).any(axis=0)
        if new.any():
            asked = [column for column, missing in zip(columns, new, strict=True) if missing]
            answers = self.members.scores(asked, images, present)
            self.scores[np.ix_(rows, places[new])] = answers
        scores: Floats = self.scores[np.ix_(rows, places)]
        return scores

    def answer(self) -> Answer:
        """All of it, with decisions."""
        there = ~np.isnan(self.probability)
        return Answer(
            probability=self.probability,
            landslide=np.where(there, self.probability > self.threshold, np.nan),
            members=self.scores,
            member_names=self.names,
            sensors=[str(name) for name in self.sensors],
            route=[str(name) for name in self.route],
            threshold=self.threshold,
        )


@dataclass(frozen=True, kw_only=True)
class _Plan:
    """How a group of patches is answered."""

    combination: CombinationRecord
    present: tuple[str, ...]
    stages: Sequence[StageRecord]
    """In which some patches may be answered without asking all members."""
    skip_water: bool

    @property
    def passes(self) -> int:
        """Over patches, before all members are asked; the first one also looks for water."""
        return max(len(self.stages), int(self.skip_water))


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
        return _Plan(combination=fast, present=tuple(present), stages=(), skip_water=False)
    combination = find_combination(record["combinations"], present)
    if combination is None:
        return None
    balanced, cascade = asked.budget == "balanced", record["cascade"]
    return _Plan(
        combination=combination,
        present=tuple(present),
        stages=cascade["stages"] if cascade and balanced and whole else (),
        skip_water=balanced and _tells_water(record, present),
    )


def _tells_water(record: BundleRecord, present: Sequence[str]) -> bool:
    """Whether these sensors tell water, on which the training has no landslide."""
    water = record["water"]
    if water is None or not water["skipped"]:
        return False
    sensor = {channel["name"]: channel["sensor"] for channel in record["channels"]}
    return {sensor[water["green"]], sensor[water["nir"]]} <= set(present)


def _spare(
    found: _Found,
    plan: _Plan,
    number: int,
    images: Images,
    rows: NDArray[np.int64],
    names: Sequence[str],
) -> NDArray[np.int64]:
    """Answer for water, and where the members of a stage are sure; the rows that are left open."""
    if number == 0 and plan.skip_water and found.water is not None:
        wet = is_water(images, names, found.water)
        found.route[rows[wet]], found.probability[rows[wet]] = WATER, 0.0
        rows, images = rows[~wet], images[~wet]
    if number >= len(plan.stages) or not len(rows):
        return rows
    stage = plan.stages[number]
    answered = found.ask(stage["combination"]["columns"], images, rows, plan.present)
    first = FittedRule.from_json(stage["combination"]["rule"]).apply(answered)
    low, high = first < stage["low"], first > stage["high"]
    # A decision is `probability > threshold` everywhere.
    threshold = found.threshold[rows]
    above = np.minimum(np.nextafter(threshold, np.inf), 1.0)
    found.probability[rows[low]] = np.minimum(first, threshold)[low]
    found.probability[rows[high]] = np.maximum(first, above)[high]
    found.route[rows[low | high]] = CHEAP
    return rows[~(low | high)]
