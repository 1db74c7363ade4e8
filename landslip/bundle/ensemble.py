"""A bundle that is asked: verified, loaded, and its answers for patches in memory."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from landslip.bundle.answer import Answer, Asked, answer_patches
from landslip.bundle.folder import INDEX, digest_of, named_by, unpack, verify
from landslip.bundle.index import read_index
from landslip.bundle.members import Members
from landslip.bundle.prepare import from_array
from landslip.bundle.recipe import Recipe
from landslip.bundle.record import BundleRecord
from landslip.bundle.thresholds import Aim, Threshold, choose_threshold
from landslip.bundle.units import refuse_misread
from landslip.ensemble.combine import cross_fit_columns
from landslip.ensemble.out_of_fold import OutOfFold
from landslip.ensemble.records import CombinationRecord
from landslip.ensemble.rules import FittedRule
from landslip.ensemble.sensors import find_combination
from landslip.io.files import InputError, read_parquet
from landslip.io.records import read_record
from landslip.io.temporaries import temporary_folder

Budget = Literal["fast", "balanced", "full"]
BUDGETS: tuple[Budget, ...] = get_args(Budget)
DEVICES = ("cpu", "cuda")
OOF, CARD = "oof.parquet", "card.json"


class Channel(NamedTuple):
    """A channel that the bundle reads."""

    name: str
    unit: str
    modality: str
    sensor: str
    """Images that come or are missing together."""


@dataclass(frozen=True)
class Ensemble:
    """A trained ensemble; `landslip.load` makes one.

    Attributes
    ----------
    folder
        Where its files lie.
    digest
        SHA-256 that tells this bundle from every other.
    record
        What bundle.json says.
    recipe
        How patches become what members read.
    """

    folder: Path
    digest: str
    record: BundleRecord
    recipe: Recipe
    members: Members
    _held: ExitStack
    """Keeps what a .zip was unpacked into until nobody needs it."""

    @property
    def channels(self) -> list[Channel]:
        """Channels of the patches, in the order of the training's."""
        return [
            Channel(channel["name"], channel["unit"], channel["modality"], channel["sensor"])
            for channel in self.record["channels"]
        ]

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns of a patch."""
        return self.recipe.size

    @property
    def conventions(self) -> Mapping[str, Any]:
        """What units do not say: see `data.conventions` in the config reference; None: unknown."""
        return dict(self.record["conventions"])

    @cached_property
    def card(self) -> dict[str, Any]:
        """What the ensemble was trained on, what it reaches, its limits and licence."""
        found: dict[str, Any] = read_record(self.folder / CARD, dict[str, Any])
        return found

    @cached_property
    def oof(self) -> OutOfFold:
        """What members say of training patches that they were not trained on."""
        frame = read_parquet(self.folder / OOF)
        return OutOfFold(
            labels=frame["label"].to_numpy(np.int8),
            fold=frame["fold"].to_numpy(np.int64),
            scores={
                name: frame[name].to_numpy(np.float64)
                for name in frame.columns
                if name not in ("label", "fold")
            },
        )

    def combination(self, sensors: Sequence[str]) -> CombinationRecord | None:
        """How members answer for patches that have these sensors; None where none can."""
        return find_combination(self.record["combinations"], sensors)

    def threshold(
        self,
        *,
        recall: float | None = None,
        precision: float | None = None,
        prevalence: float | None = None,
        threshold: float | None = None,
        sensors: Sequence[str] | None = None,
    ) -> Threshold:
        """A threshold for an aim, from out-of-fold scores.

        Parameters
        ----------
        recall
            Share of landslides to be found, kept on average by conformal risk control.
        precision
            Share of true ones among what is called a landslide; an estimate.
        prevalence
            Expected share of landslides, where it differs from the training's.
        threshold
            In place of those: what a given one costs.
        sensors
            That patches have; None: all.

        Returns
        -------
        Threshold
            `float(...)` gives its value; it says what it assumes and what it costs.

        Raises
        ------
        InputError
            A value is out of range or cannot be reached, or no member answers for the sensors.
        """
        aim = Aim(recall=recall, precision=precision, prevalence=prevalence, threshold=threshold)
        present = self.recipe.sensors if sensors is None else list(sensors)
        for name in present:
            if name not in self.recipe.sensors:
                raise InputError(
                    f"unknown sensor {name!r:.40}; there are {', '.join(self.recipe.sensors)}"
                )
        combination = self.combination(present)
        if combination is None:
            only = " and ".join(present) or "no sensor"
            raise InputError(f"no member of this bundle answers for {only} alone")
        return self._threshold(combination, aim)

    def _threshold(self, combination: CombinationRecord, aim: Aim) -> Threshold:
        rule = FittedRule.from_json(combination["rule"])
        crossed = cross_fit_columns(self.oof, combination["columns"], combination["fit"], rule)
        usual = combination["threshold"]
        return choose_threshold(self.oof.labels, crossed.probability, usual, aim)

    def predict(
        self,
        patches: NDArray[Any],
        channels: Sequence[str | Channel] | None = None,
        *,
        budget: Budget = "full",
        recall: float | None = None,
        precision: float | None = None,
        prevalence: float | None = None,
        threshold: float | None = None,
        least_data: float = 0.5,
        misread: Literal["refuse", "accept"] = "refuse",
    ) -> Answer:
        """Say which patches show a landslide.

        Parameters
        ----------
        patches : (n, channel, row, column), integers or floats
            In the units and conventions of `channels` and `conventions`; rows and columns as
            `size`. NaN: no data.
        channels
            Of the patches, each by its name or as `channels` has it, in any order; those that are
            not named are absent, as a missing sensor. None: all, in the bundle's order.
        budget
            fast: trees alone. balanced: trees, then networks one after another, the cheapest first,
            until they are sure. full: every member. The first two are for patches with all sensors;
            others get all members that can answer, but for water, which `balanced` skips wherever
            optics show it.
        recall, precision, prevalence
            Choose the threshold; see `threshold`.
        threshold
            In place of those.
        least_data
            Share of a channel's pixels that must hold data, or its sensor is missing.
        misread
            What is done with patches that cannot be what the bundle reads, by the magnitude of
            their pixels and by the order of channels. accept: for parts of what was judged before,
            as a scene is.

        Returns
        -------
        Answer
            Probability and decision, what each member says, and which sensors were used.

        Raises
        ------
        InputError
            Patches of another shape, dtype, unit or order of channels, unknown channels, an aim
            that cannot be reached. Nothing is answered then.

        Notes
        -----
        `full` gives the bits of the training's own prediction on the same processor, whatever the
        patches' order, the patches beside them and the sensors that they lack.
        """
        aim = Aim(recall=recall, precision=precision, prevalence=prevalence, threshold=threshold)
        asked = self.asked(budget, aim)
        if not 0 <= least_data <= 1:
            raise InputError(f"least_data is a share from 0 to 1, got {least_data!r}")
        names = list(self.recipe.channels) if channels is None else channels
        prepared = from_array(patches, names, self.recipe, least_data)
        if misread == "refuse":
            refuse_misread(prepared.seen, self.recipe, self.record)
        return answer_patches(prepared, asked)

    def asked(self, budget: Budget, aim: Aim) -> Asked:
        """What `predict` is asked, with every threshold chosen.

        Raises
        ------
        InputError
            There is no such budget.
        """
        if budget not in BUDGETS:
            raise InputError(f"budget is {budget!r}, expected {', '.join(BUDGETS)}")
        chosen: dict[tuple[str, ...], float] = {}

        def decide(combination: CombinationRecord) -> float:
            if not aim.chooses:
                return combination["threshold"] if aim.threshold is None else aim.threshold
            columns = tuple(combination["columns"])
            if columns not in chosen:
                chosen[columns] = self._threshold(combination, aim).value
            return chosen[columns]

        return Asked(record=self.record, members=self.members, budget=budget, decide=decide)


def load(path: str | Path, *, device: str = "cpu", threads: int | None = None) -> Ensemble:
    """Open a bundle.

    Parameters
    ----------
    path
        Folder or .zip.
    device
        Networks compute on: cpu or cuda.
    threads
        Of a processor that members use; None: their libraries' choice. The answers are the same.

    Returns
    -------
    Ensemble
        Every file of it compared with its SHA-256. Members are read when they are first asked.

    Raises
    ------
    InputError
        There is none, it is of another format version, or a file is missing, changed, cut short or
        one too many; or there is no such device or number of threads.
    """
    if device not in DEVICES:
        raise InputError(f"device is {device!r:.40}, expected {', '.join(DEVICES)}")
    if threads is not None and threads < 1:
        raise InputError(f"threads are 1 or more, got {threads!r}")
    path = Path(path)
    with ExitStack() as stack:
        folder = path
        if path.is_file():
            folder = stack.enter_context(temporary_folder())
            unpack(path, folder)
        with named_by(path, folder):
            verify(folder)
            record = read_index(folder / INDEX)
            recipe = Recipe.of(record)
        held = stack.pop_all()
    return Ensemble(
        folder=folder,
        digest=digest_of(folder),
        record=record,
        recipe=recipe,
        members=Members(folder, record["members"], recipe, device=device, threads=threads),
        _held=held,
    )
