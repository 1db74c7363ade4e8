"""What the keys of a config have to agree on: every mistake, with the nearest valid name."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from landslip.config.assess import mistakes_in_assess
from landslip.config.folds import mistakes_in_folds
from landslip.io.nearest import nearest
from landslip.io.paths import results_mistakes
from landslip.models.names import HEADS, explain_timm_name
from landslip.models.settings import Encoder, Model, Network

if TYPE_CHECKING:
    from landslip.config.schema import Config

# Columns and keys that stand beside the members' names in the ensemble's files.
_RESERVED = {"id", "fold", "label", "probability", "landslide", "ensemble"}


def mistakes_in_config(config: "Config") -> Iterable[str]:
    """Names that stand for nothing, and heads that do not fit their inputs."""
    data = config.data
    yield from results_mistakes(
        config.results, folder=data.folder, tables=data.named_files, patches=data.patches
    )
    yield from mistakes_in_folds(config.folds, bool(data.scenes))
    for name, channel in config.channels.items():
        yield from _unknown(f"channels.{name}.unit", channel.unit, "unit", config.units)
    for name, pair in config.indices.items():
        for operand in pair:
            yield from _unknown(f"indices.{name}", operand, "channel", config.channels)
        if pair[0] == pair[1]:
            yield f"indices.{name}: the two channels are the same ({pair[0]})"
        if name in config.channels:
            yield f"indices.{name}: a channel has that name already"
        if name in ("ndvi", "ndwi") and pair[1] == "nir":
            yield (
                f"indices.{name}: [{pair[0]}, nir] begins with the other channel; write "
                f"[nir, {pair[0]}] (to a model the sign is nothing; landslip tells water by NDWI)"
            )
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
    for member in config.bundle.members or []:
        yield from _unknown("bundle.members", member, "member", config.members)
    if (config.bundle.folds or 0) > config.folds.n:
        yield f"bundle.folds: {config.bundle.folds} of {config.folds.n} folds"
    if config.scene.path is not None and config.bundle.path is None:
        yield "scene: name the bundle that maps it, --config bundle=PATH"
    if config.scene.path is not None and config.patches is not None:
        yield "scene, patches: a bundle is asked about one of them at a time; name one"
    if config.patches is not None and config.bundle.path is None:
        yield "patches: name the bundle that is asked about them, --config bundle=PATH"
    yield from mistakes_in_assess(
        config.map,
        {"labels": config.labels, "verdicts": config.verdicts},
        {"patches": config.patches, "scene": config.scene.path},
        config.results,
    )


def mistakes_in_model(config: "Config", where: str, model: Model) -> Iterable[str]:
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


def _mistakes_in_bands(where: str, bands: list[str] | None, config: "Config") -> Iterable[str]:
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
