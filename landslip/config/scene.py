"""The config's part on maps of whole scenes; what a scene is stands in its own file."""

from typing import Any, Literal

from pydantic import Field, model_validator

from landslip.io.paths import ConfigPath
from landslip.io.section import Fraction, Section

Mistake = Literal[
    "offset", "flattened", "linear_as_db", "mixed_orbits", "one_pair", "zeros", "enlarged",
    "nearest", "degrees", "season",
]  # fmt: skip


class SceneSimulation(Section):
    """A scene made by `snakemake simulate_scene`."""

    rows: int = Field(1024, ge=16, le=20000, description="pixels of 10 m")
    columns: int = Field(1280, ge=16, le=20000, description="pixels of 10 m")
    slides: int = Field(24, ge=0, le=2000, description="landslides between before and after")
    cloud: Fraction = Field(0.15, description="share of the sky under cloud")
    seed: int = Field(42, ge=0, lt=2**63, description="of everything that is simulated")
    east: int = Field(
        0,
        ge=0,
        le=200_000,
        description="m that it lies east of the usual place, so that several do not overlap",
    )
    mistake: Mistake | None = Field(
        None, description="a mistake that people make with such data, made on purpose"
    )


class SceneMap(Section):
    """How a scene is mapped, or, by its path, the one that is."""

    path: ConfigPath | None = Field(
        None, description="scene file that is mapped; scene: PATH says the same"
    )
    stride: int | None = Field(
        None, ge=1, le=512, description="pixels of a cell of the map; null: half a patch"
    )
    cell: Literal["centre", "mean", "min"] = Field(
        "centre",
        description="a cell's score: of the patch centred on it, or mean or least of the patches "
        "that cover at least half of it",
    )
    tile: int = Field(2048, ge=64, le=8192, description="pixels of a side that one job maps")
    simulation: SceneSimulation = SceneSimulation()

    @model_validator(mode="before")
    @classmethod
    def _text_is_a_path(cls, values: Any) -> Any:
        return {"path": values} if isinstance(values, str) else values
