"""What stands in bundle.json: channels, members, rules by sensors, distributions, as typed JSON."""

from typing import Annotated, Literal, get_args

from pydantic import ConfigDict, Field, with_config
from typing_extensions import TypedDict

from landslip.ensemble.records import CombinationRecord, ComparisonRecord, MemberSensors
from landslip.io.records import Amount, Count, Digest, Interval, Number, Probability, Share

FORMAT_VERSION = 3
"""Of the folder and all that is in it."""

Precision = Literal["float32", "bfloat16"]
Surface = Literal["land", "water"]
SURFACES: tuple[Surface, ...] = get_args(Surface)
Quantiles = Annotated[list[Number], Field(min_length=101, max_length=101)]
"""At each percent from 0 to 100."""


class ChannelRecord(TypedDict):
    """A channel of the patches, as they come."""

    name: str
    unit: str
    modality: str
    sensor: str
    """Images that come or are missing together."""
    quantity: Literal["reflectance", "backscatter", "change"] | None
    plausible: Interval
    magnitude: Interval
    nodata: list[Number]


class ConventionsRecord(TypedDict):
    """What units do not say; see `landslip.config.bundle.Conventions`."""

    reflectance_offset: Number | None
    radar_calibration: str | None
    terrain_flattened: bool | None
    radar_scale: str | None
    radar_composite: str | None


class MemberRecord(MemberSensors):
    """A trained model of all its folds."""

    kind: str
    folder: str
    """Holds a folder for each fold."""
    folds: Count
    operations: Count | None
    """Multiply-adds for a patch, of all folds and views; None of trees."""


class StageRecord(TypedDict):
    """When no further members are asked."""

    combination: CombinationRecord
    """Of the members that have been asked so far."""
    low: Probability
    """Below, their answer is final: no landslide."""
    high: Probability
    """Above it: a landslide."""
    open: Share
    """Of out-of-fold patches, how many are left to the next stage."""


class CascadeRecord(TypedDict):
    """Members asked one after another, until they are sure."""

    stages: list[StageRecord]
    """In turn; what the last leaves open all members answer. Empty: no bounds keep the promise."""
    work: Share
    """Of all networks' multiply-adds, how many out-of-fold patches take on average."""
    f1_full: Share
    f1: Share
    most_loss: Amount
    """Of F1, that the bounds were chosen for."""


class WaterRecord(TypedDict):
    """Open water, by medians of a patch: near infrared below green, and dark."""

    green: str
    nir: str
    dark: Number
    """Near infrared of water lies below."""
    patches: Count
    """Of the training's, that are water."""
    positives: Count
    """Of them, landslides."""
    skipped: bool
    """`balanced` says no without asking a member."""


class DistributionsRecord(TypedDict):
    """What pixels of the training's patches look like; see `landslip.bundle.distributions`."""

    patches: dict[Surface, Count]
    quantiles: dict[Surface, dict[str, Quantiles | None]]
    """Of sampled pixels of each channel; None: it has none there."""
    lows: dict[Surface, dict[str, Quantiles | None]]
    """Of the patches' least pixels."""
    zeros: dict[str, Share]
    """Of each channel's pixels, how many are exactly 0."""
    orbits: dict[str, Number]
    """`desc_vv and asc_vv` -> correlation of the patches' means over land."""


class TrainingRecord(TypedDict):
    """A fingerprint of what the ensemble was trained on."""

    patches: Count
    positives: Count
    split_digest: Digest
    tables: dict[str, Digest]
    """Name -> SHA-256 of the out-of-fold table and of others that tell this training apart."""
    simulated: bool
    seed: Count


class SmallerRecord(TypedDict):
    """What a bundle that is smaller than the ensemble leaves out, and what that costs."""

    members: list[str]
    folds: Count
    of_folds: Count
    weights: Precision
    f1_whole: Share
    f1: Share
    """Out of fold, without the members left out and with rounded weights, not of fewer folds."""
    note: str


@with_config(ConfigDict(extra="forbid"))
class BundleRecord(TypedDict):
    """bundle.json."""

    format_version: Count
    landslip: str
    """Version of the program that wrote it."""
    channels: list[ChannelRecord]
    indices: dict[str, tuple[str, str]]
    rows: Count
    columns: Count
    """Pixels of a patch."""
    keep_zeros: bool
    """Zeros of a whole sensor are data."""
    conventions: ConventionsRecord
    members: list[MemberRecord]
    combinations: list[CombinationRecord]
    """That of the most sensors first."""
    comparison: list[ComparisonRecord]
    """Empty where no member was trained with modality dropout."""
    fast: CombinationRecord | None
    """Of trees alone."""
    cascade: CascadeRecord | None
    water: WaterRecord | None
    distributions: DistributionsRecord
    training: TrainingRecord
    smaller: SmallerRecord | None
    warnings: list[str]
    """About members that learned nothing, as metrics.json has them."""
    licence: str
