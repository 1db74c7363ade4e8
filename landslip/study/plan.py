"""Which jobs the study's variants are: settings worked out, equal ones made one job."""

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import TypeAdapter, ValidationError

from landslip.config import (
    INDEX_MODALITY,
    SECTIONS,
    Config,
    Encoder,
    Model,
    Network,
    mistakes_in_model,
)
from landslip.config_errors import explain, nearest
from landslip.config_merge import override
from landslip.config_study import Table, Variant
from landslip.files import InputError, text_digest
from landslip.models.encoder_check import Use
from landslip.models.names import ENSEMBLE
from landslip.study.variants import made_variants, words_of

_MODEL: TypeAdapter[Model] = TypeAdapter(Model)
_DIGITS = 10


@dataclass(frozen=True, kw_only=True)
class Job:
    """What the (model, fold) jobs of one model are made with."""

    settings: Model
    encoders: list[Encoder]
    """Of each input of a network."""
    scaling_fit: str


@dataclass(frozen=True, kw_only=True)
class Row:
    """One row of a table."""

    variant: str
    members: list[str]
    """Jobs whose OOF predictions are averaged: one for a model."""
    against: str
    """Name of the row that the difference is to."""
    against_members: list[str]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Every model's job, the config's first, and the rows of every table."""

    jobs: dict[str, Job]
    tables: dict[str, list[Row]]
    left_out: dict[str, dict[str, str]]
    """Table -> variant -> what of the shipped config it needs that this config took out."""
    words: dict[str, dict[str, str]]
    """Table -> variant -> what it is, for those whose names do not say it."""


def plan_study(config: Config, shipped: Collection[str] = ()) -> Plan:
    """Work out the study's rows and the jobs that they need.

    Parameters
    ----------
    shipped
        Names of models, encoders, channels and modalities of the config as shipped. A variant
        that needs one of them, which this config took out, is left out; a name that never was is
        a mistake.

    Returns
    -------
    Plan
        A variant whose settings are those of a model of the config is that model; others are
        named after a digest of all that their training depends on, so that equal ones are one
        job and neither order nor names of variants retrain anything.

    Raises
    ------
    InputError
        Every mistake in the study's variants, one a line, with the nearest valid name.
    """
    planner = _Planner(config, frozenset(shipped) - _names(config))
    tables = {name: planner.rows(name, table) for name, table in config.study.tables.items()}
    if planner.mistakes:
        lines = "\n  ".join(dict.fromkeys(planner.mistakes))
        raise InputError(f"the study is not valid:\n  {lines}")
    return Plan(
        jobs=planner.jobs,
        tables={name: rows for name, rows in tables.items() if rows},
        left_out=planner.left_out,
        words={name: words_of(config, table) for name, table in config.study.tables.items()},
    )


def names_in(raw: Mapping[str, Any]) -> set[str]:
    """Names that config files, merged, give to models, encoders and channels, and variants named
    as members of others."""
    modalities = {channel["modality"] for channel in raw["channels"].values()}
    sections = ("models", "encoders", "channels", "indices")
    named = {name for section in sections for name in raw.get(section, {})}
    tables = raw.get("study", {}).get("tables", {}).values()
    variants = [entry for table in tables for entry in table.get("variants", {}).values()]
    members = {name for entry in variants for name in _texts(entry.get("members"))}
    return modalities | named | members | {INDEX_MODALITY}


def effective(config: Config, job: Job) -> dict[str, Any]:
    """All that a job's training depends on, in words that do not depend on names in the config."""
    excluded = {"inputs", "encoder", "statistics", "training"}
    values: dict[str, Any] = job.settings.model_dump(mode="json", exclude=excluded)
    if isinstance(job.settings, Network):
        values["training"] = job.settings.training.model_dump(mode="json", exclude={"save_minutes"})
        values["channels"] = [config.channels_of(group) for group in job.settings.groups]
        values["encoders"] = [encoder.model_dump(mode="json") for encoder in job.encoders]
        values["scaling_fit"] = job.scaling_fit
    else:
        values["channels"] = config.channels_of(job.settings.inputs)
        values["statistics"] = list(job.settings.statistics)
    return values


def encoder_uses(config: Config, plan: Plan) -> dict[str, list[Use]]:
    """How each network of the config and of the study's variants uses its encoders.

    Returns
    -------
    dict
        `models.<name>`, or `variant <name>` for what only the study trains -> a use for each input.
    """
    return {
        f"{'models.' if name in config.models else 'variant '}{name}": [
            Use(
                timm=encoder.timm,
                channels=len(config.channels_of(group)),
                image_size=job.settings.training.image_size,
            )
            for encoder, group in zip(job.encoders, job.settings.groups, strict=True)
        ]
        for name, job in plan.jobs.items()
        if isinstance(job.settings, Network)
    }


def _names(config: Config) -> frozenset[str]:
    sections = (config.models, config.encoders, config.channel_names, config.modalities)
    return frozenset(name for section in sections for name in section)


class _AbsentError(Exception):
    """A variant needs something that the config took out."""


class _MistakeError(Exception):
    """A variant says something impossible; the text says what."""


@dataclass
class _Planner:
    config: Config
    taken_out: frozenset[str]
    jobs: dict[str, Job] = field(default_factory=dict)
    left_out: dict[str, dict[str, str]] = field(default_factory=dict)
    mistakes: list[str] = field(default_factory=list)
    _keys: dict[str, str] = field(default_factory=dict)
    _open: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        for name, settings in self.config.models.items():
            job = self._job(settings)
            self.jobs[name] = job
            self._keys.setdefault(self._key(job), name)

    def rows(self, name: str, table: Table) -> list[Row]:
        """Rows of a table that this config can make, the base first."""
        where = f"study.tables.{name}"
        made: dict[str, list[str]] = {}
        try:
            variants = self._variants(where, table)
        except _MistakeError as mistake:
            self.mistakes.append(str(mistake))
            return []
        except _AbsentError as reason:
            self.left_out.setdefault(name, {})[table.base] = str(reason)
            return []
        for variant, entry in variants.items():
            at = f"{where}.variants.{variant}"
            try:
                made[variant] = self._members(at, table, entry)
            except _MistakeError as mistake:
                self.mistakes.append(str(mistake))
            except _AbsentError as reason:
                self.left_out.setdefault(name, {})[variant] = str(reason)
        rows = []
        for variant, members in made.items():
            against = variants[variant].against or table.base
            if against in variants and against not in made:
                self.left_out.setdefault(name, {})[variant] = f"{against} is left out"
                continue
            try:
                compared = made.get(against) or self._named(f"{where}.base", against)
            except _MistakeError as mistake:
                self.mistakes.append(str(mistake))
            except _AbsentError as reason:
                self.left_out.setdefault(name, {})[variant] = str(reason)
            else:
                rows.append(
                    Row(
                        variant=variant,
                        members=members,
                        against=against,
                        against_members=compared,
                    )
                )
        return self._with_base(where, table, variants, rows)

    def _with_base(
        self, where: str, table: Table, variants: Mapping[str, Variant], rows: list[Row]
    ) -> list[Row]:
        if not rows or table.base in variants:
            return rows
        try:
            base = self._named(f"{where}.base", table.base)
        except (_AbsentError, _MistakeError):
            return rows
        if any(row.members == base for row in rows):
            return rows
        return [
            Row(variant=table.base, members=base, against=table.base, against_members=base),
            *rows,
        ]

    def _variants(self, where: str, table: Table) -> dict[str, Variant]:
        """Those made from the config, then those that are written out."""
        made: dict[str, Variant] = {}
        if table.each == "models":
            made = {name: Variant(members=[name]) for name in self.config.members}
        elif table.each is not None:
            base = self._model(f"{where}.base", table.base)
            if isinstance(base, Network):
                raise _MistakeError(
                    f"{where}.each: {table.each} is for tree models, not {table.base}"
                )
            made = dict(made_variants(self.config, table.each, base))
        return made | table.variants

    def _members(self, where: str, table: Table, variant: Variant) -> list[str]:
        """Jobs of a row."""
        if isinstance(variant.members, str):
            wanted = [
                name
                for name in self.config.members
                if variant.members == "all"
                or (variant.members == "networks") == isinstance(self.config.models[name], Network)
            ]
            if not wanted:
                raise _AbsentError(f"no {variant.members} in the ensemble")
            return wanted
        if variant.members is not None:
            found = [
                job for name in variant.members for job in self._named(f"{where}.members", name)
            ]
            return list(dict.fromkeys(found))
        return [self._changed(where, variant.base or table.base, variant)]

    def _named(self, where: str, name: str) -> list[str]:
        """Jobs that a name stands for: the ensemble, a model, or `table.variant`."""
        if name == ENSEMBLE:
            return list(self.config.members)
        if name in self.config.models:
            return [name]
        table_name, _, variant_name = name.partition(".")
        table = self.config.study.tables.get(table_name)
        if table is not None and variant_name:
            variants = self._variants(f"study.tables.{table_name}", table)
            if name in self._open:
                raise _MistakeError(f"{where}: {name} is made of itself")
            if variant_name in variants:
                self._open.append(name)
                try:
                    return self._members(where, table, variants[variant_name])
                finally:
                    self._open.pop()
            self._absent(name)
            raise _MistakeError(
                f"{where}: {table_name} has no variant {variant_name!r}"
                f"{nearest(variant_name, variants)}"
            )
        self._absent(name)
        raise _MistakeError(
            f"{where}: unknown model or variant {name!r}{nearest(name, self.config.models)}"
        )

    def _model(self, where: str, name: str) -> Model:
        if name in self.config.models:
            return self.config.models[name]
        self._absent(name)
        raise _MistakeError(f"{where}: unknown model {name!r}{nearest(name, self.config.models)}")

    def _absent(self, name: str) -> None:
        if name in self.taken_out:
            raise _AbsentError(f"{name} is not in this config")

    def _changed(self, where: str, base: str, variant: Variant) -> str:
        """Name of the job of a model with some keys changed."""
        model = self._model(f"{where}.base", base)
        before = model.model_dump(mode="json")
        raw = override(before, variant.change)
        for item in _texts([raw.get("inputs"), raw.get("encoder")]):
            self._absent(item)
        try:
            settings = _MODEL.validate_python(raw)
        except ValidationError as error:
            # As a model of the config, so that the mistake is put in the same words.
            items = [{**item, "loc": ("models", base, *item["loc"])} for item in error.errors()]
            lines = [line for item in items for line in explain(item, SECTIONS)]
            raise _MistakeError(
                "\n  ".join(line.replace(f"models.{base}", f"{where}.change", 1) for line in lines)
            ) from None
        wrong = list(mistakes_in_model(self.config, f"{where}.change", settings))
        if wrong:
            raise _MistakeError("\n  ".join(wrong))
        network = isinstance(settings, Network)
        if not network and (variant.scaling_fit or variant.pretrained is not None):
            raise _MistakeError(f"{where}: scaling_fit and pretrained are for networks, not {base}")
        job = self._job(settings, variant.scaling_fit, variant.pretrained)
        key = self._key(job)
        name = self._keys.setdefault(key, f"{settings.kind}_{key[:_DIGITS]}")
        self.jobs.setdefault(name, job)
        return name

    def _job(
        self, settings: Model, scaling_fit: str | None = None, pretrained: bool | None = None
    ) -> Job:
        encoders = []
        if isinstance(settings, Network):
            encoders = [self.config.encoders[name] for name in settings.encoders]
        if pretrained is not None:
            encoders = [e.model_copy(update={"pretrained": pretrained}) for e in encoders]
        return Job(
            settings=settings,
            encoders=encoders,
            scaling_fit=scaling_fit or self.config.scaling.fit,
        )

    def _key(self, job: Job) -> str:
        return text_digest(json.dumps(effective(self.config, job), sort_keys=True))


def _texts(value: Any) -> Iterable[str]:
    """Every text in nested lists."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
