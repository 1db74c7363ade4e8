"""The config's part on patches: where they lie, what their channels and units are."""

from typing import Literal, Self

from pydantic import Field, model_validator

from landslip.config_section import Fraction, Name, Section

Interval = tuple[float, float]


class Unit(Section):
    """What values of a unit look like; catches dB given as linear power and the like."""

    plausible: Interval = Field(description="pixels outside are counted in the audit")
    magnitude: Interval = Field(
        description="the median absolute value of a channel's pixels lies inside, or it is wrong"
    )

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


class TrainSource(Section):
    labels: str | None = Field(None, description="CSV with columns ID,label")
    patches: str | None = Field(None, description="folder of <ID>.npy, (row, column, channel)")


class TestSource(Section):
    ids: str | None = Field(None, description="CSV with column ID, in the order of submission.csv")
    patches: str | None = Field(None, description="folder of <ID>.npy")
    labels: str | None = Field(None, description="CSV with columns ID,label, where they are known")


class Simulation(Section):
    """Patches made when no data is named."""

    train: int = Field(7147, ge=20, description="training patches")
    test: int = Field(5398, ge=1, description="test patches")
    positives: Fraction = Field(0.1756, description="share of landslides among training patches")
    test_positives: Fraction = Field(0.1141, description="share among test patches")
    size: int = Field(64, ge=16, le=512, description="rows and columns, 10 m pixels")
    seed: int = Field(42, ge=0)


class Data(Section):
    folder: str | None = Field(
        None, description="holds Train.csv, Test.csv, train_data/, test_data/; null: see simulation"
    )
    train: TrainSource = TrainSource()
    test: TestSource = TestSource()
    simulation: Simulation = Simulation()
    on_bad_patch: Literal["refuse", "drop"] = Field(
        "refuse", description="truncated or unreadable patches: stop, or set aside and list"
    )
    on_nonfinite: Literal["refuse", "fill"] = Field(
        "refuse", description="NaN or infinity: stop, or fill with the median of the finite pixels"
    )
    on_wrong_unit: Literal["refuse", "report"] = Field(
        "refuse", description="a channel whose magnitude does not fit its unit"
    )
    patches_per_shard: int = Field(
        8192, ge=1, description="patches that one job checks, stores, describes or predicts"
    )

    @property
    def simulated(self) -> bool:
        """No data named: patches are simulated."""
        named = (self.folder, self.train.labels, self.train.patches, self.test.ids)
        return not any((*named, self.test.patches))

    @model_validator(mode="after")
    def _all_or_nothing(self) -> Self:
        required = {
            "data.train.labels": self.train.labels,
            "data.train.patches": self.train.patches,
            "data.test.ids": self.test.ids,
            "data.test.patches": self.test.patches,
        }
        missing = [key for key, value in required.items() if value is None]
        if self.folder is None and missing and len(missing) < len(required):
            raise ValueError(f"give {', '.join(missing)} too, or data.folder")
        return self
