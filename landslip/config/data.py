"""The config's part on patches: where they lie, what their channels and units are."""

import os
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, FiniteFloat, model_validator

from landslip.config.bundle import Conventions
from landslip.config.inventory import Windows
from landslip.io.paths import ConfigPath, PartPath, relative_path
from landslip.io.section import Fraction, Name, Section

Interval = tuple[float, float]

# What a folder in the competition's layout holds.
_IN_FOLDER = {
    ("train", "labels"): "Train.csv",
    ("train", "patches"): "train_data",
    ("test", "ids"): "Test.csv",
    ("test", "patches"): "test_data",
}


class Unit(Section):
    """What values of a unit look like; catches dB given as linear power and the like."""

    plausible: Interval = Field(
        description="pixels outside are counted in the audit; usual sentinels, and values farther "
        "outside than the interval is wide, are no data"
    )
    magnitude: Interval = Field(
        description="the median absolute value of a channel's pixels; outside, the unit is taken "
        "to be wrong"
    )

    quantity: Literal["reflectance", "backscatter", "change"] | None = Field(
        None, description="reflectance; backscatter in dB; its change, in dB too; null: any other"
    )
    nodata: list[FiniteFloat] = Field([], description="values that mean no data")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        for low, high in (self.plausible, self.magnitude):
            if low >= high:
                raise ValueError(f"[{low}, {high}] is not an interval: the first must be smaller")
        return self


class Channel(Section):
    """One channel of the patches as they come, in the order of the last axis."""

    modality: Name = Field(description="group that model inputs name, such as rgbn or sar")
    unit: str = Field(description="a name in `units`")
    sensor: Name | None = Field(
        None,
        description="images that come or are missing together, such as one orbit of Sentinel-1; "
        "null: the modality",
    )
    nodata: list[FiniteFloat] | None = Field(
        None, description="values that mean no data; null: those of the unit"
    )


def _one_or_many(value: Any) -> Any:
    """A path alone stands for a list of it."""
    return [value] if isinstance(value, str) else value


Paths = Annotated[
    list[ConfigPath], BeforeValidator(_one_or_many, json_schema_input_type=str | list[str])
]


class TrainSource(Section):
    """Where the labelled patches lie."""

    labels: PartPath | None = Field(None, description="CSV with columns ID,label")
    patches: PartPath | None = Field(None, description="folder of <ID>.npy, (row, column, channel)")


class TestSource(Section):
    """Where the patches to predict lie."""

    ids: PartPath | None = Field(
        None, description="CSV with column ID, in the order of submission.csv"
    )
    patches: PartPath | None = Field(None, description="folder of <ID>.npy")
    labels: PartPath | None = Field(
        None, description="CSV with columns ID,label, where they are known"
    )
    scenes: Paths = Field(
        [],
        description="scene files whose windows are test patches, labelled by the same inventory",
    )


class Simulation(Section):
    """Patches made when no data is named."""

    train: int = Field(7147, ge=20, le=10**6, description="training patches")
    test: int = Field(5398, ge=1, le=10**6, description="test patches")
    positives: Fraction = Field(0.1756, description="share of landslides among training patches")
    test_positives: Fraction = Field(0.1141, description="share among test patches")
    size: int = Field(64, ge=16, le=512, description="rows and columns, 10 m pixels")
    seed: int = Field(42, ge=0, lt=2**63, description="of everything that is simulated")


class Data(Section):
    """The patches, and what to do about faults among them."""

    folder: ConfigPath | None = Field(
        None, description="holds Train.csv, Test.csv, train_data/, test_data/; null: see simulation"
    )
    train: TrainSource = TrainSource()
    test: TestSource = TestSource()
    scenes: Paths = Field(
        [],
        description="scene files whose windows are the training patches, in place of files; see "
        "docs/inventory.md",
    )
    inventory: Paths = Field(
        [], description="with scenes: files of landslides, polygons or points, in any CRS"
    )
    verdicts: Paths = Field(
        [],
        description="with scenes: zones.gpkg of maps of these scenes with the column verdict "
        "filled; windows that a reviewer judged",
    )
    windows: Windows = Windows()
    simulation: Simulation = Simulation()
    conventions: Conventions = Conventions()
    links_into: ConfigPath | None = Field(
        None,
        description="links among the patches may lead into this folder; null: not out of their own",
    )
    on_bad_patch: Literal["refuse", "drop"] = Field(
        "refuse", description="truncated or unreadable patches: stop, or set aside and list"
    )
    on_nonfinite: Literal["refuse", "fill"] | None = Field(
        None,
        description="NaN, infinity or values that mean no data: stop, or fill with the median of "
        "the other pixels; null: refuse in files, fill in windows of scenes, where clouds are "
        "ordinary",
    )
    on_zeros: Literal["fill", "refuse", "keep"] = Field(
        "fill",
        description="zeros in every channel of reflectance, or in both polarisations of an orbit, "
        "at once; keep: they are data",
    )
    on_wrong_unit: Literal["refuse", "report"] = Field(
        "refuse", description="channels or patches whose magnitude does not fit the unit"
    )
    patches_per_shard: int = Field(
        8192,
        ge=1,
        description="patches that one job checks and stores; windows of scenes are shared out "
        "among as many jobs as there are scenes",
    )

    @property
    def simulated(self) -> bool:
        """Whether patches are simulated, as no data is named."""
        named = (self.folder, self.train.labels, self.train.patches, self.test.ids)
        return not any((*named, self.test.patches, self.scenes))

    @property
    def all_scenes(self) -> list[str]:
        """Scene files of the training, then of the test."""
        return [*self.scenes, *self.test.scenes]

    @property
    def has_test(self) -> bool:
        """Whether there are test patches at all; of scenes a test is not needed."""
        return not self.scenes or bool(self.test.scenes)

    def path_of(self, split: Literal["train", "test"], key: str) -> str | None:
        """Path of one input: the one that is named, or else the usual one inside `folder`."""
        named: str | None = getattr(self.train if split == "train" else self.test, key)
        if named is None:
            named = _IN_FOLDER.get((split, key)) if self.folder else None
        if named is None:
            return None
        return relative_path(os.path.normpath(os.path.join(self.folder or "", named)))

    @property
    def tables(self) -> list[str]:
        """Paths of the CSV files that are named."""
        found = (
            self.path_of("train", "labels"),
            self.path_of("test", "ids"),
            self.path_of("test", "labels"),
        )
        return [path for path in found if path is not None]

    @property
    def named_files(self) -> list[str]:
        """Paths of all files that are named."""
        return [*self.tables, *self.all_scenes, *self.inventory]

    @property
    def patches(self) -> list[str]:
        """Paths of the patch folders that are named."""
        found = self.path_of("train", "patches"), self.path_of("test", "patches")
        return [path for path in found if path is not None]

    @model_validator(mode="before")
    @classmethod
    def _clouds_are_ordinary(cls, values: Any) -> Any:
        if isinstance(values, Mapping) and values.get("on_nonfinite") is None:
            return {**values, "on_nonfinite": "fill" if values.get("scenes") else "refuse"}
        return values

    @model_validator(mode="after")
    def _scenes_alone(self) -> Self:
        scenes = self.all_scenes
        if not self.scenes:
            given = {
                "data.test.scenes": self.test.scenes,
                "data.inventory": self.inventory,
                "data.verdicts": self.verdicts,
            }
            if named := [key for key, value in given.items() if value]:
                raise ValueError(f"{' and '.join(named)}: name data.scenes too")
            return self
        files = {
            "data.folder": self.folder,
            **{f"data.train.{name}": value for name, value in self.train},
            **{f"data.test.{name}": value for name, value in self.test if name != "scenes"},
        }
        if named := [key for key, value in files.items() if value is not None]:
            raise ValueError(f"data.scenes and {', '.join(named)}: patches come from one of both")
        if self.conventions.radar_scale not in (None, "dB"):
            raise ValueError(
                f"data.conventions.radar_scale: scenes are read in dB; got "
                f"{self.conventions.radar_scale}"
            )
        if not self.inventory:
            raise ValueError("data.scenes: name data.inventory, the file of landslides, too")
        if twice := sorted({path for path in scenes if scenes.count(path) > 1}):
            raise ValueError(
                f"data.scenes, data.test.scenes: {', '.join(twice)} stands there twice"
            )
        return self

    @model_validator(mode="after")
    def _all_or_nothing(self) -> Self:
        if self.scenes:
            return self
        required = {
            "data.train.labels": self.train.labels,
            "data.train.patches": self.train.patches,
            "data.test.ids": self.test.ids,
            "data.test.patches": self.test.patches,
        }
        missing = [key for key, value in required.items() if value is None]
        some = len(missing) < len(required) or self.test.labels is not None
        if self.folder is None and missing and some:
            raise ValueError(f"give {', '.join(missing)} too, or data.folder")
        return self
