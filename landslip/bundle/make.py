"""Put a trained ensemble into one folder and one .zip."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from landslip.bundle.card import write_card
from landslip.bundle.cascade import describe_cascade, order_stages
from landslip.bundle.distributions import describe_patches
from landslip.bundle.ensemble import OOF
from landslip.bundle.folder import INDEX, pack, seal
from landslip.bundle.members import PROCESSOR
from landslip.bundle.recipe import Recipe
from landslip.bundle.record import (
    FORMAT_VERSION,
    BundleRecord,
    DistributionsRecord,
    MemberRecord,
    SmallerRecord,
    WaterRecord,
)
from landslip.bundle.water import describe_water
from landslip.data.inputs import read_shape
from landslip.data.survey import read_survey
from landslip.ensemble.choice import MEAN
from landslip.ensemble.combine import (
    InForce,
    Way,
    combine,
    combine_subsets,
    compare_ways,
    cross_fit_columns,
    f1_of,
    read_in_force,
)
from landslip.ensemble.evaluate import learning_of
from landslip.ensemble.out_of_fold import OutOfFold, gather_out_of_fold
from landslip.ensemble.records import CombinationRecord
from landslip.ensemble.sensors import describe_needs
from landslip.ensemble.tables import EnsembleOof, read_ensemble_oof
from landslip.io.files import (
    InputError,
    atomic_folder,
    check_writable,
    copy_file,
    file_digest,
    read_json,
    read_parquet,
    write_json,
    write_parquet,
)
from landslip.io.version import landslip_version
from landslip.models.network_files import copy_network
from landslip.models.operations import count_operations

LICENCE = (
    "The program is under the MIT licence. Weights may be used as the licences of the patches and "
    "of the pretrained encoders that they were trained from allow."
)


@dataclass(frozen=True, kw_only=True)
class BundleSettings:
    """What the run's settings say of patches and ensemble; plain values."""

    channels: list[Any]
    """As `landslip.bundle.record.ChannelRecord` has them."""
    indices: dict[str, tuple[str, str]]
    keep_zeros: bool
    conventions: Any
    members: list[str]
    """Of the whole ensemble."""
    chosen: list[str]
    """Of them, those of the bundle."""
    folds: int
    of_folds: int
    weights: str
    rule: str
    calibration: str
    threshold: str | float
    """How the one in force is chosen, or what it is."""
    bootstrap: int
    seed: int
    most_loss: float
    """Of F1, that a cascade may cost."""
    simulated: bool


@dataclass(frozen=True, kw_only=True)
class Sources:
    """Files of the run."""

    models: Mapping[str, Sequence[Path]]
    """Member -> model.json of each fold, weights beside it."""
    again: Mapping[str, Path]
    """Member -> what it answers out of fold for fewer sensors or with rounded weights, as
    `landslip.bundle.held_out` writes it."""
    oof: Path
    threshold: Path
    folds: Path
    listing: Path
    """listing.json."""
    surveys: Sequence[Path]
    """Of the training patches."""
    features: Path
    """Of the training patches."""
    scaling: Path | None
    """None where each fold has its own; networks hold theirs beside their weights."""
    processor: Path | None
    """None where there are trees alone."""


def write_bundle(
    settings: BundleSettings, sources: Sources, *, folder: Path, archive: Path
) -> None:
    """Write a bundle.

    Parameters
    ----------
    settings
        What the config says.
    sources
        What the run made.
    folder, archive
        Where it goes, as folder and as .zip. The folder appears whole, once all is there.

    Raises
    ------
    InputError
        A file is damaged, missing, or of another run.
    """
    check_writable(folder.parent)
    with atomic_folder(folder) as made:
        record = _fill(made, settings, sources)
        write_json(made / INDEX, record)
        write_card(made, record)
        seal(made)
        pack(made, archive)


def _fill(made: Path, settings: BundleSettings, sources: Sources) -> BundleRecord:
    """Copy what is copied, and say what stands in bundle.json."""
    table = read_ensemble_oof(sources.oof)
    members = [_copy_member(made, name, settings, sources) for name in settings.chosen]
    if sources.processor is not None and any(each["kind"] == "network" for each in members):
        copy_file(sources.processor, made / PROCESSOR)
    if sources.scaling is not None:
        copy_file(sources.scaling, made / "scaling.parquet")
    names = [member["name"] for member in members]
    oof = gather_out_of_fold(table, names, sources.again, rounded=settings.weights != "float32")
    # Labels, folds and scores without the patches' names.
    write_parquet(made / OOF, pd.DataFrame({"label": oof.labels, "fold": oof.fold, **oof.scores}))
    way = Way(
        rule=settings.rule,
        calibration=settings.calibration,
        threshold=settings.threshold,
        bootstrap=settings.bootstrap,
        seed=settings.seed,
    )
    in_force = read_in_force(sources.threshold)
    sensors = list(dict.fromkeys(channel["sensor"] for channel in settings.channels))
    combinations = combine_subsets(members, sensors, oof, way, in_force)
    if not combinations:
        raise InputError("no member of the bundle answers for anything; name others")
    whole = combinations[0]
    trees = [member["name"] for member in members if member["operations"] is None]
    fast = combine(trees, sensors, oof, way, in_force) if trees else None
    operations = {member["name"]: member["operations"] for member in members}
    cascade = None
    if stages := order_stages(whole["columns"], operations):
        asked = [combine(columns, sensors, oof, way, in_force) for columns in stages]
        cascade = describe_cascade(asked, whole, oof, operations, settings.most_loss)
    size, distributions = _describe(settings, sources)
    return {
        "format_version": FORMAT_VERSION,
        "landslip": landslip_version(),
        "channels": settings.channels,
        "indices": settings.indices,
        "rows": size[0],
        "columns": size[1],
        "keep_zeros": settings.keep_zeros,
        "conventions": settings.conventions,
        "members": members,
        "combinations": combinations,
        "comparison": compare_ways(members, sensors, oof, way),
        "fast": fast,
        "cascade": cascade,
        "water": _water(settings, sources, table),
        "distributions": distributions,
        "training": {
            "patches": len(table.labels),
            "positives": int(table.labels.sum()),
            "split_digest": table.split_digest,
            "tables": {
                "oof": file_digest(sources.oof),
                "folds": file_digest(sources.folds),
                "features": file_digest(sources.features),
            },
            "simulated": settings.simulated,
            "seed": settings.seed,
        },
        "smaller": _smaller(settings, table, whole, in_force),
        "warnings": learning_of(
            oof.labels,
            {name: oof.scores[name] for name in names},
            oof.fold,
            plain=(whole["fit"], whole["rule"]["calibration"]) == MEAN,
            resamples=settings.bootstrap,
            seed=settings.seed,
        ),
        "licence": LICENCE,
    }


def _copy_member(made: Path, name: str, settings: BundleSettings, sources: Sources) -> MemberRecord:
    """Copy the folds of a member; networks' weights in the number format that is asked for."""
    contents: dict[str, Any] = {}
    for fold, description in enumerate(sources.models[name][: settings.folds]):
        target = made / "members" / name / f"fold{fold}"
        target.mkdir(parents=True)
        contents = read_json(description)
        if contents["kind"] == "network":
            copy_network(description, target, weights=settings.weights)
        else:
            copy_file(description, target / description.name)
            copy_file(description.parent / contents["weights"], target / contents["weights"])
    sensor = {channel["name"]: channel["sensor"] for channel in settings.channels}
    return {
        **describe_needs(name, contents, sensor, settings.indices),
        "kind": contents["kind"],
        "folder": f"members/{name}",
        "folds": settings.folds,
        "operations": count_operations(contents) * settings.folds
        if contents["kind"] == "network"
        else None,
    }


def _water(settings: BundleSettings, sources: Sources, table: EnsembleOof) -> WaterRecord | None:
    """How water is told, where the index NDWI says which channels tell it."""
    pair = settings.indices.get("ndwi")
    quantity = {channel["name"]: channel["quantity"] for channel in settings.channels}
    if pair is None or any(quantity[name] != "reflectance" for name in pair):
        return None
    nir, green = pair
    columns = {name: f"{name}_median" for name in pair}
    frame = read_parquet(sources.features, ["id", *columns.values()]).set_index("id")
    frame = frame.loc[table.ids]
    return describe_water(
        {name: frame[column].to_numpy(np.float64) for name, column in columns.items()},
        table.labels,
        green=green,
        nir=nir,
        offset=settings.conventions["reflectance_offset"],
    )


def _describe(
    settings: BundleSettings, sources: Sources
) -> tuple[tuple[int, int], DistributionsRecord]:
    """Pixels of a patch, and distributions of the training's."""
    size = read_shape(sources.listing)
    if size is None:
        raise InputError(f"{sources.listing} does not say how large patches are; run again")
    blank: Any = {
        "channels": settings.channels, "indices": settings.indices,
        "keep_zeros": settings.keep_zeros, "rows": size[0], "columns": size[1],
    }  # fmt: skip
    surveys = [read_survey(path) for path in sources.surveys]
    return size, describe_patches(
        surveys, Recipe.of(blank), settings.conventions["reflectance_offset"]
    )


def _smaller(
    settings: BundleSettings, table: EnsembleOof, combination: CombinationRecord, whole: InForce
) -> SmallerRecord | None:
    """What a smaller bundle leaves out and costs."""
    fewer = len(settings.chosen) < len(settings.members)
    if not fewer and settings.folds == settings.of_folds and settings.weights == "float32":
        return None
    oof = OutOfFold(labels=table.labels, fold=table.fold, scores=table.members)
    crossed = cross_fit_columns(oof, whole.columns, whole.fit, whole.rule)
    notes = []
    if settings.folds < settings.of_folds:
        notes.append(
            f"{settings.folds} of {settings.of_folds} folds: what that costs cannot be told from "
            "out-of-fold patches, each of which one fold alone has predicted."
        )
    if settings.weights == "bfloat16":
        notes.append("Networks were asked once more out of fold, with weights rounded.")
    return {
        "members": settings.chosen,
        "folds": settings.folds,
        "of_folds": settings.of_folds,
        "weights": "bfloat16" if settings.weights == "bfloat16" else "float32",
        "f1_whole": f1_of(table.labels, crossed.landslide),
        "f1": combination["f1"],
        "note": " ".join(notes),
    }
