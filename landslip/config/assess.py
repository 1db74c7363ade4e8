"""The config's part on the accuracy of a map."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Literal

from pydantic import Field

from landslip.io.section import Fraction, Section


class AssessCells(Section):
    """Cells that are drawn from each stratum; all of a stratum that has no more."""

    zone: int = Field(100, ge=2, le=10**5, description="in the map's zones")
    near: int = Field(100, ge=2, le=10**5, description="below the threshold, the most probable")
    far: int = Field(150, ge=2, le=10**5, description="the rest of which the map says something")


class AssessThreshold(Section):
    """Precision of zones that a threshold recalibrated from verdicts is to reach."""

    precision: Fraction = Field(
        0.8, gt=0, lt=1, description="share of zones above it that hold a landslide"
    )
    bound: Literal["estimate", "low"] = Field(
        "estimate", description="what is to reach it: the estimate, or its interval's lower end"
    )


class Assess(Section):
    """How the accuracy of a finished map is found, from cells that a person looks at."""

    cells: AssessCells = AssessCells()
    near: Fraction = Field(
        0.1, gt=0, lt=1, description="share of the cells below the threshold that counts as near it"
    )
    by_unit: bool = Field(
        False,
        description="draw these numbers in every administrative unit; false: over the whole map",
    )
    confidence: Annotated[float, Field(ge=0.5, lt=1)] = Field(
        0.95, description="confidence level of the intervals"
    )
    threshold: AssessThreshold = AssessThreshold()
    pictures: bool = Field(
        True,
        description="a page with what the sensors saw of each drawn cell, where the map's plan is "
        "beside it",
    )


def mistakes_in_assess(
    folder: str | None,
    filled: Mapping[str, str | None],
    asked: Mapping[str, str | None],
    results: str,
) -> Iterator[str]:
    """What does not go together with a map that is assessed.

    Parameters
    ----------
    folder
        Of the map.
    filled
        Key -> file that a person filled.
    asked
        Key -> what a bundle is asked about.
    results
        Where outputs go.
    """
    for key, path in filled.items():
        if path is not None and folder is None:
            yield f"{key}: name the map that it is about, --config map=FOLDER"
        if path == f"{results}/sample.gpkg":
            yield f"{key}: copy {path} and fill the copy, for the workflow may make it again"
    for key, path in asked.items():
        if path is not None and folder is not None:
            yield f"map, {key}: a map is assessed by itself; leave one out"
