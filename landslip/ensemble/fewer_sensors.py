"""How the members answer for patches that lack sensors, by the files of a run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from landslip.data.sensors import split_sensors
from landslip.ensemble.combine import Way, combine_subsets, read_in_force
from landslip.ensemble.out_of_fold import gather_out_of_fold
from landslip.ensemble.records import CombinationRecord, MemberSensors
from landslip.ensemble.sensors import describe_needs, find_combination
from landslip.ensemble.tables import read_ensemble_oof
from landslip.io.files import read_json


@dataclass(frozen=True, kw_only=True)
class FewerSensors:
    """Members that need what is missing are left out, as a bundle leaves them out.

    Rules and thresholds of the others are those that a bundle of all members holds, and are fitted
    when the first such patch is met: in most runs there is none.
    """

    descriptions: Mapping[str, Path]
    """Member -> model.json of one of its folds."""
    again: Mapping[str, Path]
    """Member that was trained with modality dropout -> held_out.parquet."""
    oof: Path
    """ensemble/oof.parquet."""
    threshold: Path
    """threshold.json."""
    sensor: Mapping[str, str]
    indices: Mapping[str, Sequence[str]]
    """See `landslip.data.sensors.sensors_of`."""
    way: Way
    """How rules are chosen."""

    @cached_property
    def members(self) -> list[MemberSensors]:
        """What each needs to answer."""
        return [
            describe_needs(name, read_json(path), self.sensor, self.indices)
            for name, path in self.descriptions.items()
        ]

    @cached_property
    def combinations(self) -> list[CombinationRecord]:
        """For every choice of sensors that a member can answer for."""
        table = read_ensemble_oof(self.oof)
        oof = gather_out_of_fold(table, list(self.descriptions), self.again, rounded=False)
        sensors = list(dict.fromkeys(self.sensor.values()))
        in_force = read_in_force(self.threshold)
        return combine_subsets(self.members, sensors, oof, self.way, in_force)

    def find(self, missing: str) -> CombinationRecord | None:
        """How members answer for patches that lack these sensors; None where none can.

        Parameters
        ----------
        missing
            As the manifest has it.
        """
        gone = split_sensors(missing)
        present = [name for name in dict.fromkeys(self.sensor.values()) if name not in gone]
        return find_combination(self.combinations, present)
