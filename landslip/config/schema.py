"""Every config key: its type, meaning, unit and range.

`parse_config` turns the mapping read from config files into a `Config`, or refuses it with
every mistake, each with the nearest valid name. Settings of models live with the models. Jobs never
see this: rules hand them plain values.
"""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationError, model_validator

from landslip.config.ablation import Ablation
from landslip.config.assess import Assess
from landslip.config.bundle import Bundle, Predict
from landslip.config.checks import mistakes_in_config
from landslip.config.data import Channel, Data, Unit
from landslip.config.errors import explain
from landslip.config.folds import Folds, with_scheme
from landslip.config.inventory import Label, Negatives
from landslip.config.scene import SceneMap
from landslip.data.nodata import NoData, zero_groups
from landslip.io.files import InputError
from landslip.io.paths import ConfigPath
from landslip.io.section import Fraction, Name, Section, expecting
from landslip.models.resolved import ResolvedModel, resolve_model
from landslip.models.settings import Encoder, Model

INDEX_MODALITY = "indices"


class Scaling(Section):
    """Which patches the scaling of network inputs is computed on."""

    fit: Literal["all", "train", "fold"] = Field(
        "all", description="patches that scaling parameters are computed on; all = train + test"
    )
    max_patches: int = Field(
        20000,
        ge=100,
        description="if there are more patches, a random sample of this size is read, drawn with "
        "the seed; memory of the job: one channel of it for each thread",
    )


class GPU(Section):
    """How jobs share the GPUs of a machine."""

    slots_per_device: int = Field(
        1, ge=1, le=64, description="jobs that share one GPU of this machine on purpose"
    )
    wait: bool = Field(True, description="for a GPU that other jobs hold; false: refuse")


class Ensemble(Section):
    """How the members are combined, and the threshold chosen."""

    members: list[str] | None = Field(None, min_length=1, description="null: every model")
    rule: Literal["auto", "mean", "weighted", "stacked"] = Field(
        "auto",
        description="how the members' probabilities are combined: mean (the paper's), weighted "
        "(weights with the best F1), stacked (logistic regression on their logits, no coefficient "
        "negative); auto: the mean, unless another is significantly better (95 % interval of the "
        "gain above 0), and never significantly below the best member",
    )
    calibration: Literal["auto", "none", "temperature", "isotonic"] = Field(
        "auto",
        description="of every member before they are combined, fitted on OOF predictions: none "
        "(the paper's), temperature (logits divided by one number), isotonic (non-decreasing "
        "steps); auto: none, unless another is significantly better",
    )
    threshold: Annotated[
        Literal["exact", "grid"] | Fraction,
        expecting("exact, grid or a number from 0 to 1 (50 % is 0.5)"),
    ] = Field("exact", description="the search whose threshold is in force, or a number")
    bootstrap: int = Field(2000, ge=100, le=10**6, description="resamples for the intervals")


class Config(Section):
    """The whole config. Field names are the top-level keys of config.yaml."""

    results: ConfigPath = Field("results", description="where outputs go")
    seed: int = Field(42, ge=0, lt=2**63, description="of all models, through (seed, model, fold)")
    data: Data = Data()
    units: dict[str, Unit]
    channels: dict[Name, Channel] = Field(min_length=1)
    indices: dict[Name, tuple[str, str]] = Field(
        {},
        description="(a - b) / (a + b) of two channels; ndvi and ndwi begin with near infrared, "
        "for landslip tells water by them and checks bands",
    )
    label: Label = Label()
    negatives: Negatives = Negatives()
    folds: Folds = Folds()
    scaling: Scaling = Scaling()
    gpu: GPU = GPU()
    encoders: dict[str, Encoder] = Field({})
    models: dict[Name, Model] = Field(min_length=1)
    ensemble: Ensemble = Ensemble()
    ablation: Ablation = Ablation()
    bundle: Bundle = Bundle()
    patches: ConfigPath | None = Field(
        None, description="folder of new patches that `snakemake predict` asks the bundle about"
    )
    predict: Predict = Predict()
    map: ConfigPath | None = Field(
        None, description="folder of a finished map whose accuracy `snakemake assess` finds"
    )
    labels: ConfigPath | None = Field(
        None, description="the sample of that map, filled by a person; null: draw it"
    )
    verdicts: ConfigPath | None = Field(
        None, description="that map's zones.gpkg with the column verdict filled"
    )
    assess: Assess = Assess()
    scene: SceneMap = SceneMap()
    folder: ConfigPath | None = Field(
        None, description="folder of products that `snakemake describe` writes a scene file of"
    )

    @property
    def channel_names(self) -> list[str]:
        """Channels of the store: those of the patches, then the indices."""
        return [*self.channels, *self.indices]

    @property
    def modalities(self) -> dict[str, list[str]]:
        """Modality -> its channels, in the order of the store."""
        groups: dict[str, list[str]] = {}
        for name, channel in self.channels.items():
            groups.setdefault(channel.modality, []).append(name)
        if self.indices:
            groups.setdefault(INDEX_MODALITY, []).extend(self.indices)
        return groups

    @property
    def channel_sensors(self) -> dict[str, list[str]]:
        """Channel of the store -> the sensors that it comes from, each once."""
        own = {name: each.sensor or each.modality for name, each in self.channels.items()}
        return {
            name: list(dict.fromkeys(own[part] for part in self.indices.get(name, (name,))))
            for name in self.channel_names
        }

    def channel_records(self) -> list[dict[str, Any]]:
        """Each channel of the patches with all that its unit says, as builtins."""
        return [
            {
                "name": name,
                "modality": channel.modality,
                "sensor": channel.sensor or channel.modality,
                "nodata": self.no_data_values(name),
                **self.units[channel.unit].model_dump(mode="json", exclude={"nodata"}),
                "unit": channel.unit,
            }
            for name, channel in self.channels.items()
        ]

    def no_data_values(self, name: str) -> list[float]:
        """Values of a channel that mean no data."""
        channel = self.channels[name]
        own = self.units[channel.unit].nodata if channel.nodata is None else channel.nodata
        return list(own)

    @property
    def no_data(self) -> NoData:
        """What tells pixels of the patches without data."""
        units = {name: self.units[channel.unit] for name, channel in self.channels.items()}
        groups = zero_groups({name: unit.quantity for name, unit in units.items()})
        return NoData(
            plausible=[unit.plausible for unit in units.values()],
            values=[self.no_data_values(name) for name in self.channels],
            zeros=[] if self.data.on_zeros == "keep" else groups,
        )

    @property
    def members(self) -> list[str]:
        """Models of the ensemble."""
        return list(self.models) if self.ensemble.members is None else self.ensemble.members

    def channels_of(self, inputs: Iterable[str]) -> list[str]:
        """Channels that modality and channel names stand for, in order, each once."""
        modalities = self.modalities
        channels = [name for item in inputs for name in modalities.get(item, [item])]
        return list(dict.fromkeys(channels))

    def resolve(
        self, settings: Model, scaling_fit: str | None = None, pretrained: bool | None = None
    ) -> ResolvedModel:
        """A model with all that its names stand for; see `resolve_model`."""
        return resolve_model(
            settings,
            modalities=self.modalities,
            encoders=self.encoders,
            scaling_fit=scaling_fit or self.scaling.fit,
            pretrained=pretrained,
        )

    def resolved_models(self) -> dict[str, ResolvedModel]:
        """Every model of the config, by its name."""
        return {name: self.resolve(settings) for name, settings in self.models.items()}

    @model_validator(mode="before")
    @classmethod
    def _folds_by_ground(cls, values: Any) -> Any:
        return with_scheme(values)

    @model_validator(mode="after")
    def _names_exist(self) -> Self:
        mistakes = list(mistakes_in_config(self))
        if mistakes:
            raise ValueError("\n".join(mistakes))
        return self


def parse_config(raw: Mapping[str, Any]) -> Config:
    """Check a whole config, as `landslip.config.merge.merge_config` gives it.

    Raises
    ------
    InputError
        Every unknown key and impossible value, one a line, with the nearest valid name.
    """
    try:
        return Config.model_validate(raw)
    except ValidationError as error:
        lines = [line for item in error.errors() for line in explain(item, Config)]
        raise InputError("the config is not valid:\n  " + "\n  ".join(lines)) from None
