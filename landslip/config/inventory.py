"""The config's part on training from scenes: windows, labels from an inventory, negatives."""

from typing import Literal, Self

from pydantic import Field, model_validator

from landslip.io.section import Fraction, Section


class Windows(Section):
    """How scenes are cut into patches."""

    size: int = Field(64, ge=16, le=512, description="rows and columns of a patch, pixels")
    stride: int | None = Field(
        None,
        ge=1,
        le=512,
        description="pixels from one patch to the next; null: the size, so that none overlap",
    )
    least_data: Fraction = Field(
        0.5,
        gt=0,
        description="share of a window's pixels that must hold data in each channel; windows with "
        "less are left out and counted. Where a map has less, the sensor counts as missing",
    )

    @property
    def step(self) -> int:
        """Pixels from one patch to the next."""
        return self.stride or self.size


class Label(Section):
    """When a window of a scene counts as a landslide."""

    min_area: float | None = Field(
        None,
        gt=0,
        description="m2 of landslide that make a window one; null, and no min_share: 2500",
    )
    min_share: Fraction | None = Field(
        None, gt=0, description="share of the window that makes it one"
    )
    middle: Fraction = Field(
        0.5,
        gt=0,
        description="side of the inner square, as a share of the window's, where a point makes "
        "it one",
    )
    ambiguous: Literal["drop", "negative", "positive"] = Field(
        "drop",
        description="windows with some landslide but too little, or a point beside the middle: "
        "left out and counted, or taken as the one or the other",
    )
    layer: str | None = Field(
        None,
        min_length=1,
        description="layer of the landslides in an inventory with several; a file with one needs "
        "none",
    )
    date_column: str | None = Field(
        None, description="column of the inventory with the day of each landslide"
    )
    unknown_date: Literal["refuse", "use", "drop"] = Field(
        "use",
        description="a landslide without a day: stop, take it as in the images, or leave out the "
        "windows that it touches",
    )

    @property
    def area(self) -> float | None:
        """The least area in force."""
        return 2500.0 if self.min_area is None and self.min_share is None else self.min_area


class Negatives(Section):
    """How windows without a landslide are drawn, of land that was seen."""

    share: Fraction | None = Field(
        None, gt=0, description="of the windows that may be drawn, those that are"
    )
    per_positive: float | None = Field(
        None,
        gt=0,
        le=10000,
        description="windows drawn for each landslide; null, and no share: 4",
    )
    min_distance: float = Field(
        0.0, ge=0, le=1e6, description="m from a window's edge to the nearest landslide, at least"
    )
    hard: Fraction = Field(
        0.5,
        description="share of the drawn ones that is steep, bare or a river bed, as far as there "
        "are such",
    )

    @property
    def each(self) -> float | None:
        """Windows for each landslide in force."""
        return 4.0 if self.share is None and self.per_positive is None else self.per_positive

    @model_validator(mode="after")
    def _one_number(self) -> Self:
        if self.share is not None and self.per_positive is not None:
            raise ValueError("share and per_positive both say how many; name one")
        return self
