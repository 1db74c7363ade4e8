"""Which models the ablation's variants are: settings worked out, equal ones made one model."""

import json
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, ParamSpec, TypeVar

from pydantic import ValidationError

from landslip.ablation.rows import Row
from landslip.ablation.variants import made_variants, words_of
from landslip.config.ablation import Table, Variant
from landslip.config.checks import mistakes_in_model
from landslip.config.errors import explain
from landslip.config.merge import override
from landslip.config.schema import INDEX_MODALITY, Config
from landslip.io.files import InputError, text_digest
from landslip.io.nearest import nearest
from landslip.models.names import ENSEMBLE
from landslip.models.resolved import ResolvedModel
from landslip.models.settings import Model, Network, read_settings

P = ParamSpec("P")
T = TypeVar("T")

_DIGITS = 10


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The rows of every table, and the models that they need beside the config's."""

    variants: dict[str, ResolvedModel] = field(default_factory=dict)
    tables: dict[str, list[Row]] = field(default_factory=dict)
    left_out: dict[str, dict[str, str]] = field(default_factory=dict)
    """Table -> variant -> what of the shipped config it needs that this config took out."""
    words: dict[str, dict[str, str]] = field(default_factory=dict)
    """Table -> variant -> what it is, for those whose names do not say it."""

    def variant_names(self) -> dict[str, str]:
        """Models that only variants need -> the first name of each, `table: variant`."""
        names: dict[str, str] = {}
        for table, rows in self.tables.items():
            for row in rows:
                if len(row.members) == 1 and row.members[0] in self.variants:
                    names.setdefault(row.members[0], f"{table}: {row.variant}")
        return names


def plan_ablation(config: Config, shipped: Collection[str] = ()) -> Plan:
    """Work out the ablation's rows and the models that they need.

    Parameters
    ----------
    config
        The checked config.
    shipped
        Names of models, encoders, channels and modalities of the config as shipped. A variant
        that needs one of them, which this config took out, is left out; a name that never was is
        a mistake.

    Returns
    -------
    Plan
        A variant whose settings are those of a model of the config is that model; others are
        named after a digest of all that their training depends on, so that equal ones are one
        model and neither order nor names of variants retrain anything.

    Raises
    ------
    InputError
        Every mistake in the ablation's variants, one a line, with the nearest valid name.
    """
    planner = _Planner(config, frozenset(shipped) - _names(config))
    tables = {name: planner.rows(name, table) for name, table in config.ablation.tables.items()}
    if planner.mistakes:
        lines = "\n  ".join(dict.fromkeys(planner.mistakes))
        raise InputError(f"the ablation is not valid:\n  {lines}")
    return Plan(
        variants=planner.made,
        tables={name: rows for name, rows in tables.items() if rows},
        left_out=planner.left_out,
        words={name: words_of(config, table) for name, table in config.ablation.tables.items()},
    )


def names_in(raw: Mapping[str, Any]) -> set[str]:
    """Names of models, encoders and channels in merged config files.

    Variants that others name as members are among them.
    """
    modalities = {channel["modality"] for channel in raw["channels"].values()}
    sections = ("models", "encoders", "channels", "indices")
    named = {name for section in sections for name in raw.get(section, {})}
    tables = raw.get("ablation", {}).get("tables", {}).values()
    variants = [entry for table in tables for entry in table.get("variants", {}).values()]
    members = {name for entry in variants for name in _texts(entry.get("members"))}
    return modalities | named | members | {INDEX_MODALITY}


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
    made: dict[str, ResolvedModel] = field(default_factory=dict)
    left_out: dict[str, dict[str, str]] = field(default_factory=dict)
    mistakes: list[str] = field(default_factory=list)
    _keys: dict[str, str] = field(default_factory=dict)
    _open: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        for name, model in self.config.resolved_models().items():
            self._keys.setdefault(_key(model), name)

    def rows(self, name: str, table: Table) -> list[Row]:
        """Rows of a table that this config can make, the base first."""
        where = f"ablation.tables.{name}"
        variants = self._attempt(name, table.base, self._variants, where, table) or {}
        made: dict[str, list[str]] = {}
        for variant, entry in variants.items():
            at = f"{where}.variants.{variant}"
            if members := self._attempt(name, variant, self._members, at, table, entry):
                made[variant] = members
        rows = []
        for variant, members in made.items():
            against = variants[variant].against or table.base
            if against in variants and against not in made:
                self.left_out.setdefault(name, {})[variant] = f"{against} is left out"
                continue
            compared = made.get(against) or self._attempt(
                name, variant, self._named, f"{where}.base", against
            )
            if compared:
                rows.append(
                    Row(
                        variant=variant,
                        members=members,
                        against=against,
                        against_members=compared,
                    )
                )
        return self._with_base(where, table, variants, rows)

    def _attempt(
        self, table: str, variant: str, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs
    ) -> T | None:
        """What some work gives; None where it finds a mistake or something that is taken out."""
        try:
            return work(*args, **kwargs)
        except _MistakeError as mistake:
            self.mistakes.append(str(mistake))
        except _AbsentError as reason:
            self.left_out.setdefault(table, {})[variant] = str(reason)
        return None

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
        """Models of a row."""
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
                model for name in variant.members for model in self._named(f"{where}.members", name)
            ]
            return list(dict.fromkeys(found))
        return [self._changed(where, variant.base or table.base, variant)]

    def _named(self, where: str, name: str) -> list[str]:
        """Models that a name stands for: the ensemble, a model, or `table.variant`."""
        if name == ENSEMBLE:
            return list(self.config.members)
        if name in self.config.models:
            return [name]
        table_name, _, variant_name = name.partition(".")
        table = self.config.ablation.tables.get(table_name)
        if table is not None and variant_name:
            variants = self._variants(f"ablation.tables.{table_name}", table)
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
        """Name of a model with some keys changed."""
        model = self._model(f"{where}.base", base)
        before = model.model_dump(mode="json")
        raw = override(before, variant.change)
        for item in _texts([raw.get("inputs"), raw.get("encoder")]):
            self._absent(item)
        try:
            settings = read_settings(raw)
        except ValidationError as error:
            # As a model of the config, so that the mistake is put in the same words.
            items = [{**item, "loc": ("models", base, *item["loc"])} for item in error.errors()]
            lines = [line for item in items for line in explain(item, Config)]
            raise _MistakeError(
                "\n  ".join(line.replace(f"models.{base}", f"{where}.change", 1) for line in lines)
            ) from None
        wrong = list(mistakes_in_model(self.config, f"{where}.change", settings))
        if wrong:
            raise _MistakeError("\n  ".join(wrong))
        network = isinstance(settings, Network)
        if not network and (variant.scaling_fit or variant.pretrained is not None):
            raise _MistakeError(f"{where}: scaling_fit and pretrained are for networks, not {base}")
        resolved = self.config.resolve(settings, variant.scaling_fit, variant.pretrained)
        key = _key(resolved)
        name = self._keys.setdefault(key, f"{settings.kind}_{key[:_DIGITS]}")
        if name not in self.config.models:
            self.made.setdefault(name, resolved)
        return name


def _key(model: ResolvedModel) -> str:
    return text_digest(json.dumps(model.identity(), sort_keys=True))


def _texts(value: Any) -> Iterable[str]:
    """Every text in nested lists."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
