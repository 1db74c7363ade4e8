"""The config's part on folds: how the training patches are split for cross-validation."""

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from pydantic import Field

from landslip.io.section import Section

BY_GROUND = ("blocks", "scene", "event")


class Folds(Section):
    """How the training patches are split for cross-validation."""

    scheme: Literal["kfold", "stratified", "grouped", "blocks", "scene", "event"] | None = Field(
        None,
        description="kfold is the paper's; grouped keeps copies of a patch in one fold; of windows "
        "of scenes, blocks keeps squares of ground together, scene whole scenes and event all "
        "scenes of one event, and windows that overlap are never in two folds; null: blocks with "
        "data.scenes, else kfold",
    )
    block_size: float = Field(
        10000.0, ge=100, le=1e6, description="m, side of the squares of ground of blocks"
    )
    n: int = Field(5, ge=2, le=100, description="how many")
    seed: int = Field(42, ge=0, lt=2**63, description="of the shuffling before they are cut")
    group: str | None = Field(
        None, description="column of the labels CSV that groups patches; null: copies of a patch"
    )


def with_scheme(values: Any) -> Any:
    """The config with a scheme, as where patches come from gives it."""
    if not isinstance(values, Mapping):
        return values
    data, folds = values.get("data"), values.get("folds", {})
    if not isinstance(folds, Mapping) or folds.get("scheme") is not None:
        return values
    scenes = isinstance(data, Mapping) and data.get("scenes")
    return {**values, "folds": {**folds, "scheme": "blocks" if scenes else "kfold"}}


def mistakes_in_folds(folds: Folds, scenes: bool) -> Iterable[str]:
    """Schemes that do not go with where patches come from."""
    by_ground = folds.scheme in BY_GROUND
    if by_ground and not scenes:
        yield (
            f"folds.scheme: {folds.scheme} needs to know where patches lie, which data.scenes "
            "tells; choose kfold, stratified or grouped"
        )
    if scenes and not by_ground:
        yield (
            f"folds.scheme: {folds.scheme} would put neighbouring windows of a scene into "
            "different folds; choose blocks, scene or event"
        )
    if scenes and folds.group is not None:
        yield "folds.group: windows of scenes have no table with such a column; leave it null"
