"""Mistakes in a config, in the words of its file and with the nearest valid name."""

from collections.abc import Mapping
from typing import Any, get_args, get_origin

from pydantic import BaseModel

from landslip.io.nearest import nearest
from landslip.io.section import shown
from landslip.models.settings import KINDS

# Kinds of mistakes that pydantic tells apart -> what was expected.
_EXPECTED = {
    **dict.fromkeys(
        ("int_type", "int_parsing", "int_parsing_size", "int_from_float"), "a whole number"
    ),
    **dict.fromkeys(("float_type", "float_parsing"), "a number"),
    "finite_number": "a finite number",
    **dict.fromkeys(("bool_type", "bool_parsing"), "true or false"),
    "string_type": "text",
    "string_unicode": "text in UTF-8",
    "string_too_short": "some text",
    **dict.fromkeys(("list_type", "tuple_type"), "a list, such as [a, b]"),
    **dict.fromkeys(
        ("dict_type", "model_type", "model_attributes_type"), "a section with keys of its own"
    ),
    "greater_than": "more than {gt}",
    "greater_than_equal": "{ge} or more",
    "less_than": "less than {lt}",
    "less_than_equal": "{le} or less",
    "too_short": "{min_length} or more entries",
    "too_long": "{max_length} entries or fewer",
    "literal_error": "{expected}",
}
# Patterns of texts -> what they ask for.
_PATTERNS = {
    r"^[A-Za-z][A-Za-z0-9_]*$": "a name of letters A to Z, digits and _, a letter first",
    r"^[0-9a-f]{64}$": "64 of the digits 0 to 9 and a to f",
}


def explain(error: Any, whole: type[BaseModel]) -> list[str]:
    """One mistake that pydantic found, as lines for the person who wrote the file.

    Parameters
    ----------
    error
        An item of `pydantic.ValidationError.errors()`.
    whole
        Type of the file, whose fields are the valid keys.
    """
    path = [str(part) for part in error["loc"] if part != "[key]"]
    # pydantic puts a model's kind between its name and its keys; the file has no such level.
    path = [part for depth, part in enumerate(path) if not (depth == 2 and part in KINDS)]
    where = ".".join(path)
    given = error.get("input")
    if error["type"] == "extra_forbidden":
        return [f"{where}: unknown key{nearest(path[-1], _keys_beside(path, whole))}"]
    if error["type"] in ("missing", "union_tag_not_found"):
        where += ".kind" if error["type"] == "union_tag_not_found" else ""
        return [f"{where}: this key must be given"]
    if error["type"] == "value_error":
        lines = str(error["ctx"]["error"]).split("\n")
        return [f"{where}: {line}" if where else line for line in lines]
    if error["type"] == "invalid_key":
        return [f"{where}: a key must be text; put it in quotes"]
    if error["type"] == "union_tag_invalid":
        kind = str(given.get("kind")) if isinstance(given, Mapping) else ""
        choices = ", ".join(KINDS)
        return [f"{where}.kind: expected one of {choices}{nearest(kind, KINDS)}"]
    return [f"{where}: {_mistake(error, given)}"]


def _mistake(error: Any, given: Any) -> str:
    """What was expected and what was got."""
    context = {
        key: f"{value:g}" if isinstance(value, float) else value
        for key, value in error.get("ctx", {}).items()
    }
    if error["type"] == "string_pattern_mismatch":
        expected = _PATTERNS.get(context["pattern"], "another text")
    else:
        expected = _EXPECTED.get(error["type"], "another value").format(**context)
    message = f"expected {expected}; got {shown(given)}"
    if error["type"] == "string_type" and isinstance(given, int | float):
        message += "; put it in quotes"
    if error["type"] == "literal_error" and isinstance(given, str):
        choices = context["expected"].replace(" or ", ",").split(",")
        message += nearest(given, [choice.strip("' ") for choice in choices])
    return message


def _keys_beside(path: list[str], whole: type[BaseModel]) -> list[str]:
    """Valid keys of the section that a misspelt key stands in."""
    kinds: list[Any] = [whole]
    for part in path[:-1]:
        kinds = [inside for kind in kinds for inside in _inside(kind, part)]
    return list(dict.fromkeys(key for each in kinds for key in getattr(each, "model_fields", {})))


def _inside(kind: Any, part: str) -> list[Any]:
    """What a key of a section, a name or a number leads to: types without alternatives."""
    if get_origin(kind) in (dict, list):
        return _alternatives(get_args(kind)[-1])
    fields = getattr(kind, "model_fields", {})
    return _alternatives(fields[part].annotation) if part in fields else []


def _alternatives(kind: Any) -> list[Any]:
    """The sections and containers that a value may be."""
    if get_origin(kind) in (dict, list) or hasattr(kind, "model_fields"):
        return [kind]
    return [each for part in get_args(kind) for each in _alternatives(part)]
