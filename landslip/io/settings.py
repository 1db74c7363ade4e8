"""Settings by name, to say in what two runs or trainings differ."""

import json
from collections.abc import Mapping
from typing import Any

_SHOWN = 12  # characters of a digest in a message


def flatten(name: str, value: Any) -> dict[str, str]:
    """{"training": {"epochs": 20}} under `settings` -> {"settings.training.epochs": "20"}."""
    if isinstance(value, Mapping):
        return {
            key: text
            for inner, part in value.items()
            for key, text in flatten(f"{name}.{inner}", part).items()
        }
    return {name: json.dumps(value)}


def differing(found: Mapping[str, str], own: Mapping[str, str]) -> list[str]:
    """Each name that differs, with what it was and is."""
    names = [*own, *(name for name in found if name not in own)]
    return [
        f"{name} was {_short(found.get(name))}, is {_short(own.get(name))}"
        for name in names
        if found.get(name) != own.get(name)
    ]


def _short(value: str | None) -> str:
    if value is None:
        return "absent"
    return value.strip('"')[:_SHOWN] if len(value.strip('"')) == 64 else value
