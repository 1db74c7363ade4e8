"""The config's section `ablation`: tables of variants, each a difference to a model."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from landslip.io.section import Fraction, Name, Section, expecting

Each = Literal["models", "subsets", "statistics", "indices"]
Kinds = Literal["all", "networks", "trees"]
# Tables that need no variants.
_RESERVED = {"analyses", "calibration", "confusion", "figures", "importance", "members", "speed"}


def _present(value: Any) -> Any:
    """Entries that no second file took out."""
    if not isinstance(value, Mapping):
        return value
    return {name: entry for name, entry in value.items() if entry is not None}


_without_nulls = BeforeValidator(_present)


class Variant(Section):
    """One row of a table: a model with some keys changed, or several combined."""

    base: str | None = Field(None, description="model that is changed; null: the table's base")
    change: dict[str, Any] = Field(
        {}, description="keys of the model and their other values, nested as in `models`"
    )
    scaling_fit: Literal["all", "train", "fold"] | None = Field(
        None, description="of a network: other patches to fit the scaling on than scaling.fit"
    )
    pretrained: bool | None = Field(
        None, description="of a network: false, its encoders start at random; null: as configured"
    )
    members: Annotated[
        Kinds | Annotated[list[str], Field(min_length=1)] | None,
        expecting("all, networks, trees or a list of names"),
    ] = Field(
        None,
        description="instead: these models, or `table.variant`, combined by the ensemble's rule, "
        "from OOF files",
    )
    against: str | None = Field(
        None, description="variant or model that the difference is to; null: the table's base"
    )

    @model_validator(mode="after")
    def _mean_or_model(self) -> Self:
        changed = self.base, self.scaling_fit, self.pretrained
        if self.members is not None and (self.change or any(x is not None for x in changed)):
            raise ValueError("members are combined as they are; nothing can be changed beside them")
        return self


class Table(Section):
    """Variants that are shown together."""

    title: str = Field(min_length=1, description="what stands above it")
    paper: str | None = Field(None, description="number of the paper's table")
    base: str = Field(
        description="reference of the differences: a model, a variant of the table, or `ensemble`"
    )
    each: Each | None = Field(
        None,
        description="rows made from the config: its models; subsets of the base's inputs; without "
        "each statistic; without each index",
    )
    variants: Annotated[dict[Name, Variant], _without_nulls] = Field({})


class Ablation(Section):
    """Tables of variants, and what members and inputs bring."""

    bootstrap: int = Field(
        2000, ge=100, le=10**6, description="resamples for intervals of differences"
    )
    prevalence: Fraction = Field(
        0.114, gt=0, lt=1, description="share of landslides that thresholds are carried over to"
    )
    shufflings: int = Field(3, ge=1, description="of each group of features, for its importance")
    tables: Annotated[dict[Name, Table], _without_nulls] = Field({})

    @model_validator(mode="after")
    def _names_free(self) -> Self:
        taken = sorted(_RESERVED & self.tables.keys())
        if taken:
            raise ValueError(f"tables.{taken[0]}: there is a table of that name already")
        return self
