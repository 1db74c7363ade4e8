"""Every config key: its type, meaning, unit and range, and the checks between keys.

`parse_config` turns the mapping read from config files into a `Config`, or refuses it with
every mistake, each with the nearest valid name. Jobs never see this: rules hand them plain values.
"""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import BaseModel, Field, ValidationError, model_validator

from landslip.config_data import Channel, Data, Simulation, TestSource, TrainSource, Unit
from landslip.config_errors import explain, nearest
from landslip.config_paths import ConfigPath, results_mistakes
from landslip.config_section import Fraction, Name, Section, expecting
from landslip.config_study import Study, Table, Variant
from landslip.data.nodata import NoData, zero_groups
from landslip.features.names import ScalingKind, Statistic
from landslip.files import InputError
from landslip.models.names import HEADS, IMAGE_SIZES, MOST_FEATURES, Head, explain_timm_name

INDEX_MODALITY = "indices"

# Columns and keys that stand beside the members' names in the ensemble's files.
_RESERVED = {"id", "fold", "label", "probability", "landslide", "ensemble"}


class Folds(Section):
    scheme: Literal["kfold", "stratified", "grouped"] = Field(
        "kfold", description="kfold is the paper's; grouped keeps copies of a patch in one fold"
    )
    n: int = Field(5, ge=2, le=100, description="how many")
    seed: int = Field(42, ge=0, lt=2**63, description="of the shuffling before they are cut")
    group: str | None = Field(
        None, description="column of the labels CSV that groups patches; null: copies of a patch"
    )


class Scaling(Section):
    fit: Literal["all", "train", "fold"] = Field(
        "all", description="patches that scaling parameters are computed on; all = train + test"
    )


class GPU(Section):
    slots_per_device: int = Field(
        1, ge=1, le=64, description="jobs that share one GPU of this machine on purpose"
    )
    wait: bool = Field(True, description="for a GPU that other jobs hold; false: refuse")


class Encoder(Section):
    timm: str = Field(description="timm's name, architecture.tag (both as timm registers them)")
    pretrained: bool = Field(True, description="false: random start")
    weights: ConfigPath | None = Field(None, description="local safetensors; null: timm's hub")
    sha256: str | None = Field(
        None, pattern=r"^[0-9a-f]{64}$", description="digest that the weights must have, if known"
    )
    bands: list[str] | None = Field(
        None,
        min_length=1,
        description="what the weights' first layer reads, in order, each by the name of the "
        "channel it is, where it is one: channels are then mapped by name, and one that is no "
        "band gets the mean of all filters; null: timm's three channels, adapted by timm",
    )


class Tree(Section):
    inputs: list[str] = Field(min_length=1, description="modalities or channels")
    statistics: list[Statistic] = Field(
        list(get_args(Statistic)), min_length=1, description="of each channel, over its pixels"
    )
    trees: int = Field(ge=1, description="boosting rounds; no early stopping")
    learning_rate: float = Field(gt=0, le=1, description="share of each tree that is added")
    max_depth: int = Field(ge=-1, description="-1: no limit")
    subsample: float = Field(gt=0, le=1, description="share of rows, drawn anew for every tree")
    colsample: float = Field(gt=0, le=1, description="share of columns for every tree")
    positive_weight: float = Field(1.0, gt=0, description="weight of a landslide patch")
    l2: float = Field(0.0, ge=0, description="L2 penalty on leaf values")


class LightGBM(Tree):
    kind: Literal["lightgbm"]
    leaves: int = Field(31, ge=2, description="most leaves of a tree")
    min_data_in_leaf: int = Field(
        20, ge=1, description="fewest patches of a leaf; below twice as many nothing is learned"
    )


class XGBoost(Tree):
    kind: Literal["xgboost"]
    max_depth: int = Field(ge=0, description="0: no limit")
    min_child_weight: float = Field(
        1.0, ge=0, description="least sum of p (1 - p) over the patches of a leaf, p predicted"
    )


class Training(Section):
    epochs: int = Field(ge=1, description="passes over the training patches")
    batch_size: int = Field(ge=2, description="patches of a step")
    learning_rate: float = Field(gt=0, description="at the start (or after the warm-up)")
    weight_decay: float = Field(0.01, ge=0, description="of AdamW")
    schedule: Literal["cosine_epoch", "cosine_step"] = Field(
        "cosine_epoch", description="cosine to 0, stepped each epoch (the paper's) or each step"
    )
    warmup: Fraction = Field(0.0, description="share of steps of linear warm-up (cosine_step)")
    bce_weight: Fraction = Field(0.5, description="loss = w BCE + (1 - w) SmoothF1")
    image_size: int = Field(
        256,
        ge=IMAGE_SIZES[0],
        le=IMAGE_SIZES[-1],
        description="patches are resized to it, bilinear",
    )
    augmentation: Literal["symmetries", "none"] = Field(
        "symmetries", description="the eight symmetries of the square, uniform"
    )
    tta: Literal["flips", "symmetries", "none"] = Field(
        "flips", description="views whose logits are averaged in prediction"
    )
    precision: Literal["auto", "float32", "bfloat16", "float16"] = Field(
        "auto", description="auto: bfloat16 where device and network are faster with it"
    )
    compile: Literal["none", "default", "reduce-overhead", "max-autotune"] = Field(
        "none", description="torch.compile's mode; reduce-overhead uses CUDA graphs"
    )
    save_minutes: float = Field(
        10, ge=0, description="between saves inside an epoch, to resume from; 0: every step"
    )

    @model_validator(mode="after")
    def _warmup_needs_steps(self) -> Self:
        if self.warmup and self.schedule != "cosine_step":
            raise ValueError("warmup needs schedule: cosine_step")
        return self


_Input = Annotated[
    str | Annotated[list[str], Field(min_length=1)],
    expecting("a modality or channel, or a list of them"),
]


class Network(Section):
    kind: Literal["network"]
    encoder: Annotated[str | list[str], expecting("a name in `encoders`, or a list of them")] = (
        Field(description="a name in `encoders`, or one for each input")
    )
    inputs: list[_Input] = Field(
        min_length=1, description="one encoder each: a modality or channel, or a stack of several"
    )
    scaling: ScalingKind = Field(
        description="standard: (x - mean) / std; robust: (x - q50) / (q95 - q05); robust_1_99: "
        "(x - q50) / (q99 - q01)"
    )
    head: Head = Field(description="single reads one input, V2 two, V3 and V3c three, V4 four")
    features: int = Field(
        256, ge=1, le=MOST_FEATURES, description="outputs of each encoder, read by the head"
    )
    training: Training

    @property
    def groups(self) -> list[list[str]]:
        """Names each encoder reads."""
        return [[group] if isinstance(group, str) else group for group in self.inputs]

    @property
    def encoders(self) -> list[str]:
        """Short name of the encoder of each input group."""
        named = [self.encoder] * len(self.inputs) if isinstance(self.encoder, str) else self.encoder
        return list(named)


Model = Annotated[LightGBM | XGBoost | Network, Field(discriminator="kind")]


class Ensemble(Section):
    members: list[str] | None = Field(None, min_length=1, description="null: every model")
    threshold: Annotated[
        Literal["exact", "grid"] | Fraction,
        expecting("exact, grid or a number from 0 to 1 (50 % is 0.5)"),
    ] = Field("exact", description="the search whose threshold is in force, or a number")
    bootstrap: int = Field(2000, ge=100, le=10**6, description="resamples for the intervals")


class Config(Section):
    """The whole config. Field names are the top-level keys of config.yaml."""

    results: ConfigPath = Field("results", description="where outputs go")
    seed: int = Field(42, ge=0, lt=2**63, description="all randomness, through (seed, model, fold)")
    data: Data = Data()
    units: dict[str, Unit]
    channels: dict[Name, Channel] = Field(min_length=1)
    indices: dict[Name, tuple[str, str]] = Field(
        {}, description="(a - b) / (a + b) of two channels"
    )
    folds: Folds = Folds()
    scaling: Scaling = Scaling()
    gpu: GPU = GPU()
    encoders: dict[str, Encoder] = Field({})
    models: dict[Name, Model] = Field(min_length=1)
    ensemble: Ensemble = Ensemble()
    study: Study = Study()

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
    def no_data(self) -> NoData:
        """What tells pixels of the patches without data."""
        units = {name: self.units[channel.unit] for name, channel in self.channels.items()}
        groups = zero_groups({name: unit.quantity for name, unit in units.items()})
        return NoData(
            plausible=[unit.plausible for unit in units.values()],
            values=[
                units[name].nodata if channel.nodata is None else channel.nodata
                for name, channel in self.channels.items()
            ],
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

    @model_validator(mode="after")
    def _names_exist(self) -> Self:
        mistakes = list(_mistakes(self))
        if mistakes:
            raise ValueError("\n".join(mistakes))
        return self


def _mistakes(config: Config) -> Iterable[str]:
    """Names that stand for nothing, and heads that do not fit their inputs."""
    data = config.data
    yield from results_mistakes(
        config.results, folder=data.folder, tables=data.tables, patches=data.patches
    )
    for name, channel in config.channels.items():
        yield from _unknown(f"channels.{name}.unit", channel.unit, "unit", config.units)
    for name, pair in config.indices.items():
        for operand in pair:
            yield from _unknown(f"indices.{name}", operand, "channel", config.channels)
        if pair[0] == pair[1]:
            yield f"indices.{name}: the two channels are the same ({pair[0]})"
        if name in config.channels:
            yield f"indices.{name}: a channel has that name already"
    for name, encoder in config.encoders.items():
        mistake = explain_timm_name(encoder.timm)
        if mistake is not None:
            yield f"encoders.{name}.timm: {mistake}"
        yield from _mistakes_in_bands(f"encoders.{name}.bands", encoder.bands, config)
    yield from _conflicting_encoders(config.encoders)
    for name, inside in config.modalities.items():
        if name in config.channel_names and inside != [name]:
            yield f"channels.{name}: a modality of other channels too has that name"
    members = config.ensemble.members or []
    for name in sorted({name for name in members if members.count(name) > 1}):
        yield f"ensemble.members: {name} stands there more than once"
    for name, model in config.models.items():
        yield from mistakes_in_model(config, f"models.{name}", model)
    for name in sorted(_RESERVED & set(config.models)):
        yield f"models.{name}: the name is a column of the prediction tables; choose another"
    for member in config.ensemble.members or []:
        yield from _unknown("ensemble.members", member, "model", config.models)


def mistakes_in_model(config: Config, where: str, model: Model) -> Iterable[str]:
    """Inputs and encoders of a model that stand for nothing, and a head that does not fit."""
    inputs = [*config.modalities, *config.channel_names]
    if not isinstance(model, Network):
        for item in model.inputs:
            yield from _unknown(f"{where}.inputs", item, "modality or channel", inputs)
        return
    for item in (item for group in model.groups for item in group):
        yield from _unknown(f"{where}.inputs", item, "modality or channel", inputs)
    for encoder_name in model.encoders:
        yield from _unknown(f"{where}.encoder", encoder_name, "encoder", config.encoders)
    if len(model.encoders) != len(model.inputs):
        yield f"{where}.encoder: {len(model.encoders)} encoders for {len(model.inputs)} inputs"
    if HEADS[model.head] != len(model.inputs):
        arity, given = HEADS[model.head], len(model.inputs)
        yield f"{where}.head: {model.head} reads {arity} inputs, got {given}"


def _mistakes_in_bands(where: str, bands: list[str] | None, config: Config) -> Iterable[str]:
    """Names of bands by which no channel can be found."""
    if bands is None:
        return
    for name in sorted({name for name in bands if bands.count(name) > 1}):
        yield f"{where}: {name} stands there more than once"
    if not set(bands) & set(config.channel_names):
        yield (
            f"{where}: none of {', '.join(bands)} is a channel; name a band that is a channel as "
            f"the channel is named: {', '.join(config.channel_names)}"
        )


def _conflicting_encoders(encoders: Mapping[str, Encoder]) -> Iterable[str]:
    """One timm name has one weight file, whatever the short names."""
    first: dict[str, str] = {}
    for name, encoder in encoders.items():
        other = first.setdefault(encoder.timm, name)
        if encoder != encoders[other]:
            yield (
                f"encoders.{name}: {other} has the same timm name ({encoder.timm}) with other "
                "settings; give both the same"
            )


def _unknown(where: str, name: str, kind: str, known: Iterable[str]) -> Iterable[str]:
    known = list(known)
    if name not in known:
        yield f"{where}: unknown {kind} {name!r}{nearest(name, known)}"


def parse_config(raw: Mapping[str, Any]) -> Config:
    """Check a whole config, as `landslip.config_merge.merge_config` gives it.

    Raises
    ------
    InputError
        Every unknown key and impossible value, one a line, with the nearest valid name.
    """
    try:
        return Config.model_validate(raw)
    except ValidationError as error:
        lines = [line for item in error.errors() for line in explain(item, SECTIONS)]
        raise InputError("the config is not valid:\n  " + "\n  ".join(lines)) from None


# Where a key stands -> the section that defines its neighbours, for the nearest valid key.
SECTIONS: dict[str, tuple[type[BaseModel], ...]] = {
    "": (Config,),
    "data": (Data,),
    "data.train": (TrainSource,),
    "data.test": (TestSource,),
    "data.simulation": (Simulation,),
    "folds": (Folds,),
    "scaling": (Scaling,),
    "ensemble": (Ensemble,),
    "study": (Study,),
    "study.tables.*": (Table,),
    "study.tables.*.variants.*": (Variant,),
    "units.*": (Unit,),
    "channels.*": (Channel,),
    "encoders.*": (Encoder,),
    "models.*": (LightGBM, XGBoost, Network),
    "models.*.training": (Training,),
}
