"""The config's JSON schema and its reference page, made from the typed config.

`python -m landslip.config.json_schema` writes both: editors complete and check config files by the
schema, and the page stands in the documentation.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from landslip.config.schema import Config
from landslip.io.files import atomic_path

SCHEMA = Path("resources/config.schema.json")
REFERENCE = Path("docs/config.md")

_Schema = dict[str, Any]

# Sections whose entries a person names, and what stands for the name in a key's path.
_PLACEHOLDERS = {
    "units": "unit",
    "channels": "channel",
    "indices": "index",
    "encoders": "encoder",
    "models": "model",
    "tables": "table",
    "variants": "variant",
}
_BOUNDS = {
    "exclusiveMinimum": "> {}",
    "minimum": ">= {}",
    "exclusiveMaximum": "< {}",
    "maximum": "<= {}",
}
_NAMES = {"integer": "whole number", "string": "text", "boolean": "true or false"}
_STRICTER = {"minimum": "exclusiveMinimum", "maximum": "exclusiveMaximum"}
_INTRODUCTION = """\
# Config reference

Every key of `config.yaml`, made from the types that check it by
`python -m landslip.config.json_schema`. A key that is not here is refused before any job runs.
A second file, named after `--configfile`, needs only the keys that differ; in `units`, `channels`,
`indices`, `encoders`, `models` and the tables of variants a `null` takes an entry out.

The column "default" has what a key is that no file names. `config.yaml` and
`resources/configs/ablation.yaml` are always read first, so what they name is in force unless your
file says otherwise: `ensemble.rule: mean`, `ensemble.calibration: none`, the six indices, the
conventions of the competition's patches, and the prevalence of its test patches.

Editors complete and check these keys in any file that begins with the line

```yaml
# yaml-language-server: $schema=resources/config.schema.json
```

if they understand that comment (Visual Studio Code with the YAML extension, and every editor with
`yaml-language-server`). The path is relative to the file.
"""


def config_schema() -> _Schema:
    """Make the JSON schema of a config file, of a whole one and of one that overrides another.

    Returns
    -------
    dict
        JSON Schema 2020-12. No key is required, entries of mappings may be null, and a model need
        not state its kind, because a file that overrides another states only what differs. What
        several keys have to agree on is not in it; `parse_config` checks that.
    """
    schema = _loosened(Config.model_json_schema())
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "title": "landslip's config.yaml",
    }


def _loosened(schema: Any) -> Any:
    """A part of the schema without what a file that overrides another need not fulfil."""
    if isinstance(schema, list):
        return [_loosened(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    loose: _Schema = {}
    for key, value in schema.items():
        if key in ("properties", "$defs"):
            loose[key] = {name: _loosened(part) for name, part in value.items()}
        elif key == "oneOf":
            loose["anyOf"] = _loosened(value)
        elif key == "additionalProperties" and isinstance(value, dict):
            loose[key] = _or_null(value)
        elif key == "patternProperties":
            loose[key] = {pattern: _or_null(value) for pattern, value in value.items()}
            loose["additionalProperties"] = False
        elif key not in ("required", "discriminator", "title"):
            loose[key] = _loosened(value)
    return loose


def _or_null(schema: _Schema) -> _Schema:
    """The schema of an entry that another file may take out."""
    return {"anyOf": [_loosened(schema), {"type": "null"}]} if schema else {}


def config_reference() -> str:
    """Make the page that lists every key with its type, range, default and meaning.

    Returns
    -------
    str
        Markdown: a table for each section of the config.
    """
    schema = Config.model_json_schema()
    tables = _tables("", schema, schema["$defs"])
    return "\n".join([_INTRODUCTION, *tables])


def _tables(path: str, section: _Schema, definitions: Mapping[str, _Schema]) -> Iterator[str]:
    """One table for a section, and those of the sections in it."""
    rows, inside = [], []
    required = section.get("required", [])
    for key, field in section["properties"].items():
        where = f"{path}.{key}" if path else key
        found = list(_sections(where, field, definitions))
        if found:
            inside += found
        elif "const" not in field:
            meaning = field.get("description", "").replace("|", "\\|").replace("<", "&lt;")
            default = "required" if key in required else _code(field.get("default"))
            rows.append(f"| `{key}` | {_type_of(field, definitions)} | {default} | {meaning} |")
    if rows:
        yield f"## `{path}`\n" if path else "## Top level\n"
        text = section.get("description", "").split("\n\n")[0].replace("\n", " ")
        if text and path:
            yield text + "\n"
        yield "| key | type and range | default | meaning |\n|---|---|---|---|"
        yield "\n".join(rows) + "\n"
    for where, below in inside:
        yield from _tables(where, below, definitions)


def _sections(
    where: str, field: _Schema, definitions: Mapping[str, _Schema]
) -> Iterator[tuple[str, _Schema]]:
    """Sections that a key holds: itself, or its entries, of one kind or of several."""
    entries = _entries(field)
    if entries:
        name = where.rsplit(".", 1)[-1]
        where, field = f"{where}.<{_PLACEHOLDERS.get(name, 'name')}>", entries
    for part in field.get("oneOf", [field]):
        reference = part.get("$ref", "")
        definition = definitions.get(reference.rsplit("/", 1)[-1], {})
        if "properties" in definition:
            kind = definition["properties"].get("kind", {}).get("const")
            yield (f"{where} (kind: {kind})" if kind else where), definition


def _entries(field: _Schema) -> _Schema:
    """What the entries of a mapping are; empty where it is none, or where they may be anything."""
    entries = field.get("additionalProperties")
    found = [entries, *field.get("patternProperties", {}).values()]
    return next((part for part in found if isinstance(part, dict)), {})


def _type_of(field: _Schema, definitions: Mapping[str, _Schema]) -> str:
    """Type and range of a value, in words."""
    if "$ref" in field:
        return _type_of(definitions[field["$ref"].rsplit("/", 1)[-1]], definitions)
    if "anyOf" in field:
        return " or ".join(_type_of(part, definitions) for part in field["anyOf"])
    if "const" in field:
        return _code(field["const"])
    if "enum" in field:
        return ", ".join(_code(value) for value in field["enum"])
    kind: str = field.get("type", "any value")
    if kind == "array":
        if "prefixItems" in field:
            parts = [_type_of(part, definitions) for part in field["prefixItems"]]
            return f"[{', '.join(parts)}]"
        return f"list of: {_type_of(field.get('items', {}), definitions)}"
    if kind == "object":
        return f"mapping of names to: {_type_of(_entries(field), definitions)}"
    bounds = [
        text.format("2^63" if field[key] == 2**63 else f"{field[key]:,}")
        for key, text in _BOUNDS.items()
        if key in field and not (key in _STRICTER and _STRICTER[key] in field)
    ]
    return " ".join([_NAMES.get(kind, kind), ", ".join(bounds)]).strip()


def _code(value: Any) -> str:
    return f"`{json.dumps(value)}`" if not isinstance(value, str) else f"`{value}`"


def files() -> dict[Path, str]:
    """Both files, relative to the project's folder, with their content."""
    schema = json.dumps(config_schema(), indent=2, ensure_ascii=False)
    return {SCHEMA: schema + "\n", REFERENCE: config_reference()}


if __name__ == "__main__":
    for path, content in files().items():
        with atomic_path(path) as temporary:
            temporary.write_text(content, encoding="utf-8")
