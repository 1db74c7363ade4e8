"""What trained models say of themselves, and where the config says otherwise by now."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from landslip.io.files import InputError, read_json, read_metadata
from landslip.io.settings import differing, flatten
from landslip.models.seeds import derive_seed
from landslip.report.wording import listing

# Of a tree model: these reach its training as columns.
_INPUTS = ("inputs", "statistics")


@dataclass(frozen=True, kw_only=True)
class ConfigSettings:
    """What the config says of the models and folds."""

    seed: int
    scaling_fit: str
    """all, train or fold."""
    folds_scheme: str
    """kfold, stratified or grouped."""
    models: Mapping[str, Mapping[str, Any]]
    """Name -> settings, as in the config."""
    reads: Mapping[str, Mapping[str, Any]]
    """Name -> what its settings resolve to, as its model.json names it: `columns` of a tree
    model, `architecture` of a network."""


@dataclass(frozen=True, kw_only=True)
class TrainedSettings:
    """Settings that the models were trained with: from their files, or else from the config."""

    seed: str
    scaling_fit: str
    folds_scheme: str
    models: Mapping[str, Mapping[str, Any]]
    warnings: Sequence[str]
    """Where the config says otherwise, a sentence a model."""


def read_trained_settings(
    planned: ConfigSettings, descriptions: Mapping[str, Sequence[Path]], folds: Path
) -> TrainedSettings:
    """Read what the models were trained with.

    Parameters
    ----------
    planned
        What the config says.
    descriptions
        Model -> model.json of its folds, in order.
    folds
        folds.parquet.

    Raises
    ------
    InputError
        A file is damaged.
    """
    split = read_metadata(folds)
    scheme = split.get("scheme", planned.folds_scheme)
    warnings = []
    if scheme != planned.folds_scheme:
        warnings.append(f"the folds are {scheme}, the config says {planned.folds_scheme}")
    models, fits, other_seed = {}, {}, False
    for name, paths in descriptions.items():
        trained = [_read_metadata(path) for path in paths]
        differences: dict[str, list[int]] = {}
        for fold, metadata in enumerate(trained):
            lines = list(_differences(planned, name, metadata))
            trained_seed = metadata.get("seed", derive_seed(planned.seed, name, fold))
            if trained_seed != derive_seed(planned.seed, name, fold):
                other_seed = True
                lines.append(f"the seed was another than {planned.seed}")
            if metadata.get("split_digest") != split.get("split_digest"):
                lines.append("the split into folds has changed since")
            for line in lines:
                differences.setdefault(line, []).append(fold)
        if differences:
            numbers = sorted({fold for folds_ in differences.values() for fold in folds_})
            warnings.append(
                f"the config now differs from what {name} was trained with (fold "
                f"{listing([str(number) for number in numbers])}): {'; '.join(differences)}"
            )
        fits[name] = trained[0].get("scaling_fit", planned.scaling_fit)
        models[name] = _settings(planned.models[name], trained[0])
    networks = [fits[name] for name, model in models.items() if model["kind"] == "network"]
    return TrainedSettings(
        seed=f"another than {planned.seed}: see the top" if other_seed else str(planned.seed),
        scaling_fit=networks[0] if networks else planned.scaling_fit,
        folds_scheme=scheme,
        models=models,
        warnings=warnings,
    )


def _read_metadata(path: Path) -> dict[str, Any]:
    metadata = read_json(path)
    if not isinstance(metadata, dict) or not isinstance(metadata.get("settings"), dict):
        raise InputError(f"{path} does not say how its model was trained; train it anew")
    return metadata


def _settings(config: Mapping[str, Any], metadata: Mapping[str, Any]) -> dict[str, Any]:
    """The config's settings, with the values that the model was trained with."""
    settings = {**config, **metadata["settings"]}
    columns = metadata.get("columns")
    if columns is not None:
        channels = list(dict.fromkeys(str(column).rsplit("_", 1)[0] for column in columns))
        settings["inputs"] = config.get("inputs", channels)
        settings["channels"] = channels
    return settings


def _differences(planned: ConfigSettings, name: str, metadata: Mapping[str, Any]) -> Sequence[str]:
    """Settings and inputs that the config has otherwise."""
    config, reads = planned.models[name], planned.reads.get(name, {})
    skipped = _INPUTS if "columns" in metadata else ()
    configured = {key: value for key, value in config.items() if key not in skipped}
    lines = differing(_flat(metadata["settings"], configured), _flat(configured, configured))
    if "architecture" in reads:
        found, wanted = (
            {"architecture": source.get("architecture")} for source in (metadata, reads)
        )
        lines += differing(_flat(found, wanted), _flat(wanted, wanted))
    if "columns" in reads and metadata.get("columns") != reads["columns"]:
        lines.append("it reads other columns")
    fit = metadata.get("scaling_fit", planned.scaling_fit)
    if fit != planned.scaling_fit:
        lines.append(f"scaling.fit was {fit}, is {planned.scaling_fit}")
    return lines


def _flat(settings: Mapping[str, Any], known: Mapping[str, Any]) -> dict[str, str]:
    """Name -> value of the settings that `known` has too, but for what changes no result."""
    return {
        name: text
        for key, value in settings.items()
        if key in known
        for name, text in flatten(key, value).items()
        if not name.endswith(".save_minutes")
    }
