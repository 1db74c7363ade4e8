"""The config's part on bundles: what one is made of, and how it is asked."""

from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from landslip.io.paths import ConfigPath
from landslip.io.section import Fraction, Name, Section


class Conventions(Section):
    """What is known of the patches beside their units; null: unknown."""

    reflectance_offset: float | None = Field(
        None,
        description="offset that stored reflectance carries on top of 10^4 x reflectance: 1000 in "
        "Sentinel-2 products since baseline 04.00, 0 where it has been subtracted",
    )
    radar_calibration: Literal["sigma0", "gamma0", "beta0"] | None = Field(
        None, description="backscatter coefficient"
    )
    terrain_flattened: bool | None = Field(
        None, description="radiometrically terrain-corrected (RTC)"
    )
    radar_scale: Literal["dB", "power", "amplitude"] | None = Field(
        None, description="of backscatter and its change"
    )
    radar_composite: Literal["median", "single"] | None = Field(
        None, description="backscatter of single acquisitions, or the median of several"
    )


class Bundle(Section):
    """A bundle to be made by `snakemake bundle`, or, by its path, the one that is asked."""

    path: ConfigPath | None = Field(
        None,
        description="folder or .zip of the bundle that `predict` asks; bundle: PATH says the same",
    )
    members: list[Name] | None = Field(
        None, min_length=1, description="of a smaller bundle; null: the ensemble's"
    )
    folds: int | None = Field(
        None,
        ge=1,
        le=100,
        description="number of folds to keep of each member, the first ones; null: all",
    )
    weights: Literal["float32", "bfloat16"] = Field(
        "float32", description="number format of networks' weights; bfloat16 takes half the room"
    )

    most_loss: Fraction = Field(
        0.003,
        lt=1,
        description="of F1, that `predict.budget: balanced` may lose against `full`, measured on "
        "folds that its bounds were not chosen on",
    )

    @model_validator(mode="before")
    @classmethod
    def _text_is_a_path(cls, values: Any) -> Any:
        return {"path": values} if isinstance(values, str) else values


class Predict(Section):
    """How a bundle answers for new patches."""

    budget: Literal["fast", "balanced", "full"] = Field(
        "full",
        description="fast: trees alone; balanced: trees, then networks one after another, the "
        "cheapest first, until they are sure; full: every member",
    )
    recall: Fraction | None = Field(
        None, gt=0, lt=1, description="share of landslides that is to be found, on average"
    )
    precision: Fraction | None = Field(
        None, gt=0, lt=1, description="share of landslides among the patches called one"
    )
    prevalence: Fraction | None = Field(
        None, gt=0, lt=1, description="expected share of landslides; null: the training's"
    )
    threshold: Fraction | None = Field(
        None,
        description="a number in place of the bundle's threshold, for predictions and maps: the "
        "one that `snakemake assess` recalibrates",
    )
    on_drift: Literal["warn", "refuse"] = Field(
        "warn",
        description="new patches that differ from the training's: say so, or stop; a map only "
        "says so",
    )
    least_data: Fraction = Field(
        0.5,
        description="share of a channel's pixels that must hold data, or its sensor is missing "
        "in that patch; the others are filled with the median",
    )

    @model_validator(mode="after")
    def _one_aim(self) -> Self:
        if self.recall is not None and self.precision is not None:
            raise ValueError("recall and precision: one threshold cannot promise both; name one")
        aims = [name for name in ("recall", "precision", "prevalence") if getattr(self, name)]
        if self.threshold is not None and aims:
            raise ValueError(
                f"threshold and {', '.join(aims)}: each chooses the threshold; name one"
            )
        return self


def with_own_results(over: Mapping[str, Any], folders: Mapping[str, str]) -> Mapping[str, Any]:
    """Keep what is asked of a bundle out of the training's folder, where nobody names another.

    Parameters
    ----------
    over
        What overrides config.yaml.
    folders
        Top-level key that says what is asked, by itself or by its `path` -> where outputs go.
    """
    for key, folder in folders.items():
        value = over.get(key)
        asked = value.get("path") if isinstance(value, Mapping) else value
        if asked is not None and "results" not in over:
            return {**over, "results": folder}
    return over
