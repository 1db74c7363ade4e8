"""Settings of models: each key's type, meaning, unit and range.

The config holds them and the ablation changes them; jobs get them as values in their params. So
this imports nothing that trains, and no digest of a job's code covers it.
"""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal, Self, get_args

from pydantic import Field, TypeAdapter, model_validator

from landslip.features.names import ScalingKind, Statistic
from landslip.io.paths import ConfigPath
from landslip.io.section import Fraction, Section, expecting
from landslip.models.names import IMAGE_SIZES, MOST_FEATURES, Head


class Encoder(Section):
    """An encoder of timm, and the weights that it starts from."""

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


class TreeSettings(Section):
    """What every library of gradient boosted trees has."""

    suffix: ClassVar[str]
    """Of the library's own file format."""
    package: ClassVar[str]
    """Distribution whose version counts."""
    on_gpu: ClassVar[bool] = False
    """Whether the library can train on a GPU here."""
    leaf_key: ClassVar[str]
    """The key that forbids small leaves, and all splits where it is too high."""

    kind: str
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


class LightGBM(TreeSettings):
    """Gradient boosted trees of LightGBM."""

    suffix = ".txt"
    package = "lightgbm"
    leaf_key = "min_data_in_leaf"

    kind: Literal["lightgbm"]
    leaves: int = Field(31, ge=2, description="most leaves of a tree")
    min_data_in_leaf: int = Field(
        20, ge=1, description="fewest patches of a leaf; below twice as many nothing is learned"
    )


class XGBoost(TreeSettings):
    """Gradient boosted trees of XGBoost."""

    suffix = ".ubj"
    package = "xgboost"
    on_gpu = True
    leaf_key = "min_child_weight"

    kind: Literal["xgboost"]
    max_depth: int = Field(ge=0, description="0: no limit")
    min_child_weight: float = Field(
        1.0, ge=0, description="least sum of p (1 - p) over the patches of a leaf, p predicted"
    )


class Training(Section):
    """How a network is trained."""

    epochs: int = Field(ge=1, description="passes over the training patches")
    batch_size: int = Field(ge=2, description="patches of a step")
    learning_rate: float = Field(gt=0, description="at the start (or after the warm-up)")
    weight_decay: float = Field(0.01, ge=0, description="of AdamW")
    schedule: Literal["cosine_epoch", "cosine_step"] = Field(
        "cosine_epoch", description="cosine to 0, stepped each epoch (the paper's) or each step"
    )
    warmup: Fraction = Field(0.0, description="share of steps of linear warm-up (cosine_step)")
    ema_decay: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="of an exponential moving average of the weights, which is then what is kept "
        "and predicts; it rises to this over the first steps; 0: the last step's weights",
    )
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
    modality_dropout: Annotated[float, Field(ge=0, lt=1)] = Field(
        0.0,
        description="chance that a patch lacks a sensor in a training step, its channels at the "
        "scaling's centre; one sensor stays. Above 0 the network answers for any choice of sensors",
    )
    tta: Literal["flips", "symmetries", "none"] = Field(
        "flips", description="views whose logits are averaged in prediction"
    )
    precision: Literal["auto", "float32", "bfloat16", "float16"] = Field(
        "auto", description="auto: half width where device and network are faster with it"
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
    """A network: one encoder for each input, and a head that reads them all."""

    suffix: ClassVar[str] = ".safetensors"

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
"""A new tree library is a class here, and a module in `landslip.models.tree_libraries`."""

KINDS: dict[str, type[TreeSettings] | type[Network]] = {
    get_args(each.model_fields["kind"].annotation)[0]: each for each in get_args(get_args(Model)[0])
}
TREES: dict[str, type[TreeSettings]] = {
    kind: each for kind, each in KINDS.items() if issubclass(each, TreeSettings)
}
_MODEL: TypeAdapter[Model] = TypeAdapter(Model)


def read_settings(values: Mapping[str, object]) -> Model:
    """Settings from plain values, as a config file or a job's params hold them.

    Raises
    ------
    pydantic.ValidationError
        A key is unknown or missing, or a value impossible.
    """
    return _MODEL.validate_python(values)
