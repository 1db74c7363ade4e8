"""Which sensors there may be, and which members can answer for them."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from typing import Any

from landslip.data.sensors import join_sensors, sensors_of, split_sensors
from landslip.ensemble.records import CombinationRecord, MemberSensors

_MARK, _ROUNDED = "@", "~bfloat16"


def subsets(sensors: Sequence[str]) -> list[tuple[str, ...]]:
    """Every choice of one sensor or more, the most first, each in the order of `sensors`."""
    return [chosen for size in range(len(sensors), 0, -1) for chosen in combinations(sensors, size)]


def describe_needs(
    name: str,
    description: Mapping[str, Any],
    sensor: Mapping[str, str],
    indices: Mapping[str, Sequence[str]],
) -> MemberSensors:
    """What a member needs to answer, as the model.json of one of its folds says it.

    Parameters
    ----------
    name
        Of the member.
    description
        What stands in model.json; folds of a member read the same.
    sensor, indices
        See `landslip.data.sensors.sensors_of`.
    """
    if description["kind"] == "network":
        channels = [part for group in description["architecture"]["channels"] for part in group]
        flexible = bool(description["settings"]["training"].get("modality_dropout"))
    else:
        channels, flexible = [column.rsplit("_", 1)[0] for column in description["columns"]], False
    needed = sensors_of(channels, sensor, indices)
    return {"name": name, "sensors": needed, "any_sensors": flexible}


def column_for(member: MemberSensors, present: Sequence[str]) -> str | None:
    """Column of out-of-fold scores that says what a member answers for some sensors.

    Returns
    -------
    str or None
        The member's name; `member@sensor+sensor` where it has less than it could read; None where
        it cannot answer.
    """
    read = [name for name in member["sensors"] if name in present]
    if len(read) == len(member["sensors"]):
        return member["name"]
    if not read or not member["any_sensors"]:
        return None
    return partial_column(member["name"], read)


def partial_column(model: str, present: Sequence[str]) -> str:
    """Column of what a network answers that has only these of its sensors."""
    return f"{model}{_MARK}{join_sensors(present)}"


def rounded_column(model: str) -> str:
    """Column of what a network answers whose weights are rounded to bfloat16."""
    return f"{model}{_ROUNDED}"


def member_of(column: str) -> str:
    """The member that a column is of."""
    return column.split(_MARK)[0]


def sensors_read(columns: Iterable[str], members: Iterable[MemberSensors]) -> set[str]:
    """Sensors that the members of some columns look at."""
    of = {member["name"]: member["sensors"] for member in members}
    return {
        name
        for column in columns
        for name in (split_sensors(column.split(_MARK)[1]) if _MARK in column else of[column])
    }


def find_combination(
    combinations: Iterable[CombinationRecord], present: Sequence[str]
) -> CombinationRecord | None:
    """How members answer for patches that have these sensors; None where none can."""
    usable = [each for each in combinations if set(each["sensors"]) <= set(present)]
    return max(usable, key=lambda each: len(each["sensors"]), default=None)
