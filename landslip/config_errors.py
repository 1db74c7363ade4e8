"""Mistakes in a config, in the words of its file and with the nearest valid name."""

import difflib
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel

from landslip.config_merge import NAMED

# pydantic puts the kind of a value between a name and its keys; the file has no such level.
_KINDS = {"lightgbm", "xgboost", "network", "str", "list[str]", "tuple"}


def nearest(name: str, known: Iterable[str]) -> str:
    """`; did you mean 'x'?`, or what there is when nothing comes near."""
    known = list(known)
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    if close:
        return f"; did you mean {close[0]!r}?"
    return f"; known: {', '.join(known[:12])}" if known else ""


def explain(error: Any, sections: Mapping[str, tuple[type[BaseModel], ...]]) -> list[str]:
    """One mistake that pydantic found, as lines for the person who wrote the file.

    Parameters
    ----------
    error
        An item of `pydantic.ValidationError.errors()`.
    sections
        Where a key stands (`models.*.training`) -> the classes that define its neighbours.
    """
    path = [str(part) for part in error["loc"]]
    path = [part for depth, part in enumerate(path) if not (depth >= 2 and part in _KINDS)]
    where = ".".join(path)
    if error["type"] == "extra_forbidden":
        return [f"{where}: unknown key{nearest(path[-1], _keys_beside(path, sections))}"]
    if error["type"] == "missing":
        return [f"{where}: this key must be given"]
    if error["type"] == "value_error":
        lines = str(error["ctx"]["error"]).split("\n")
        return [f"{where}: {line}" if where else line for line in lines]
    given = error.get("input")
    if error["type"] == "union_tag_invalid":
        kinds = ["lightgbm", "xgboost", "network"]
        kind = given.get("kind")
        return [f"{where}.kind: expected one of {', '.join(kinds)}{nearest(str(kind), kinds)}"]
    message = error["msg"][0].lower() + error["msg"][1:]
    if error["type"] == "literal_error" and isinstance(given, str):
        expected = error["ctx"]["expected"].replace(" or ", ",").split(",")
        message += nearest(given, [choice.strip("' ") for choice in expected])
    return [f"{where}: {message}; got {given!r}"]


def _keys_beside(path: list[str], sections: Mapping[str, tuple[type[BaseModel], ...]]) -> list[str]:
    """Valid keys of the section that a misspelt key stands in."""
    parent = path[:-1]
    if len(parent) >= 2 and parent[0] in NAMED:
        parent = [parent[0], "*", *parent[2:]]
    if parent[:2] == ["study", "tables"]:
        parent = [
            "study",
            "tables",
            *("*" if at % 2 == 0 else key for at, key in enumerate(parent[2:])),
        ]
    classes = sections.get(".".join(parent), ())
    return list(dict.fromkeys(key for each in classes for key in each.model_fields))
