"""How members answer together for each choice of sensors: rule, threshold, what they reach."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from landslip.ensemble.choice import choose_rule
from landslip.ensemble.differences import estimate
from landslip.ensemble.metrics import f1, once, precision, recall
from landslip.ensemble.out_of_fold import OutOfFold
from landslip.ensemble.records import (
    CombinationRecord,
    ComparisonRecord,
    MemberSensors,
    WayRecord,
    read_threshold,
)
from landslip.ensemble.rules import CrossFittedRule, Fit, FittedRule, cross_fit_rule
from landslip.ensemble.sensors import column_for, sensors_read, subsets
from landslip.ensemble.threshold import threshold_in_force
from landslip.io.arrays import Decisions, Labels


@dataclass(frozen=True, kw_only=True)
class Way:
    """How rules are chosen: the run's settings."""

    rule: Any
    calibration: Any
    threshold: str | float
    bootstrap: int
    seed: int


@dataclass(frozen=True, kw_only=True)
class InForce:
    """Rule and threshold of all members, which the training chose."""

    columns: tuple[str, ...]
    rule: FittedRule
    fit: Fit
    """How the rule was fitted."""
    threshold: float
    why: str


def read_in_force(path: Path) -> InForce:
    """What threshold.json says that the training chose for all members.

    Raises
    ------
    InputError
        The file is missing or damaged.
    """
    stored = read_threshold(path)
    rule = FittedRule.from_json(stored["rule"]["fitted"])
    return InForce(
        columns=rule.members,
        rule=rule,
        fit=stored["rule"]["fit"],
        threshold=stored["threshold"],
        why=stored["rule"]["why"],
    )


def combine_subsets(
    members: Sequence[MemberSensors],
    sensors: Sequence[str],
    oof: OutOfFold,
    way: Way,
    in_force: InForce,
) -> list[CombinationRecord]:
    """A combination for every choice of sensors that a member can answer for.

    Parameters
    ----------
    members
        Of the ensemble, or of a bundle.
    sensors
        All that there are.
    oof
        What the members say out of fold.
    way
        How rules are chosen.
    in_force
        Taken as it is where the members are the same: `submission.csv` and bundle agree.
    """
    found = []
    for present in subsets(sensors):
        columns = [column for member in members if (column := column_for(member, present))]
        # Others are those of fewer sensors, once more.
        if columns and sensors_read(columns, members) == set(present):
            found.append(combine(columns, present, oof, way, in_force))
    return found


def compare_ways(
    members: Sequence[MemberSensors], sensors: Sequence[str], oof: OutOfFold, way: Way
) -> list[ComparisonRecord]:
    """For every choice of sensors: members left out, against members trained with dropout."""
    flexible = [member for member in members if member["any_sensors"]]
    fixed = [member for member in members if not member["any_sensors"]]
    if not flexible:
        return []
    return [
        {
            "sensors": list(present),
            "left_out": _judge_way(fixed, present, oof, way),
            "dropout": _judge_way(flexible, present, oof, way),
        }
        for present in subsets(sensors)
    ]


def _judge_way(
    members: Sequence[MemberSensors], present: Sequence[str], oof: OutOfFold, way: Way
) -> WayRecord | None:
    columns = [column for member in members if (column := column_for(member, present))]
    if not columns:
        return None
    found = combine(columns, present, oof, way)
    return {"columns": columns, "f1": found["f1"], "interval": found["interval"]}


def combine(
    columns: Sequence[str],
    present: Sequence[str],
    oof: OutOfFold,
    way: Way,
    in_force: InForce | None = None,
) -> CombinationRecord:
    """Choose rule, calibration and threshold of some members, and judge them cross-fitted."""
    scores = np.column_stack([oof.scores[column] for column in columns])
    if in_force is not None and tuple(columns) == in_force.columns:
        rule, threshold, why = in_force.rule, in_force.threshold, in_force.why
        fit = in_force.fit
        crossed = cross_fit_columns(oof, columns, fit, rule)
    else:
        chosen = choose_rule(
            oof.labels,
            scores,
            oof.fold,
            columns,
            rule=way.rule,
            calibration=way.calibration,
            bootstrap=way.bootstrap,
            seed=way.seed,
        )
        rule, crossed, why = chosen.fitted, chosen.crossed, chosen.why
        fit = chosen.fit
        threshold = threshold_in_force(oof.labels, crossed.probability, way.threshold)
    fitted_json: Any = rule.to_json()
    reached = {"f1": partial(f1, oof.labels, crossed.landslide)}
    found = estimate(reached, len(oof.labels), resamples=way.bootstrap, seed=way.seed)["f1"]
    return {
        "sensors": list(present),
        "columns": list(columns),
        "fit": fit,
        "rule": fitted_json,
        "threshold": threshold,
        "f1": found.value,
        "interval": (found.low, found.high),
        "precision": once(precision, oof.labels, crossed.landslide),
        "recall": once(recall, oof.labels, crossed.landslide),
        "why": why,
    }


def cross_fit_columns(
    oof: OutOfFold, columns: Sequence[str], fit: Fit, rule: FittedRule
) -> CrossFittedRule:
    """What a rule that was fitted in a way says of every fold when the other folds fit it."""
    return cross_fit_rule(
        oof.labels,
        np.column_stack([oof.scores[column] for column in columns]),
        oof.fold,
        members=columns,
        rule=fit,
        calibration=rule.calibration,
    )


def f1_of(labels: Labels, decided: Decisions) -> float:
    """F1 of decisions."""
    return once(f1, labels, decided)
