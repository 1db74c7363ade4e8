"""Which sensors there may be, and which members can answer for them."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations

from landslip.bundle.record import CombinationRecord, MemberRecord

_MARK, _AND, _ROUNDED = "@", "+", "~bfloat16"


def subsets(sensors: Sequence[str]) -> list[tuple[str, ...]]:
    """Every choice of one sensor or more, the most first, each in the order of `sensors`."""
    return [chosen for size in range(len(sensors), 0, -1) for chosen in combinations(sensors, size)]


def sensors_of(
    channels: Iterable[str], sensor: Mapping[str, str], indices: Mapping[str, Sequence[str]]
) -> list[str]:
    """Sensors that channels come from, each once, in the order of `sensor`.

    Parameters
    ----------
    channels
        Of the store: those of the patches, and indices.
    sensor
        Channel of the patches -> its sensor.
    indices
        Index -> the channels that it is of.
    """
    needed = {sensor[part] for name in channels for part in indices.get(name, [name])}
    return [name for name in dict.fromkeys(sensor.values()) if name in needed]


def column_for(member: MemberRecord, present: Sequence[str]) -> str | None:
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
    return f"{member['name']}{_MARK}{_AND.join(read)}"


def partial_column(model: str, present: Sequence[str]) -> str:
    """Column of what a network answers that has only these of its sensors."""
    return f"{model}{_MARK}{_AND.join(present)}"


def rounded_column(model: str) -> str:
    """Column of what a network answers whose weights are rounded to bfloat16."""
    return f"{model}{_ROUNDED}"


def member_of(column: str) -> str:
    """The member that a column is of."""
    return column.split(_MARK)[0]


def sensors_read(columns: Iterable[str], members: Iterable[MemberRecord]) -> set[str]:
    """Sensors that the members of some columns look at."""
    of = {member["name"]: member["sensors"] for member in members}
    return {
        name
        for column in columns
        for name in (column.split(_MARK)[1].split(_AND) if _MARK in column else of[column])
    }


def find_combination(
    combinations: Iterable[CombinationRecord], present: Sequence[str]
) -> CombinationRecord | None:
    """How members answer for patches that have these sensors; None where none can."""
    usable = [each for each in combinations if set(each["sensors"]) <= set(present)]
    return max(usable, key=lambda each: len(each["sensors"]), default=None)
