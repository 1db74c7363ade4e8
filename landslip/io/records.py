"""JSON files that one job writes and another reads, checked value by value as they are read.

Types say what may stand where; a writer keeps those of its file next to it.
"""

import json
from functools import cache
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import Field, TypeAdapter, ValidationError

from landslip.io.files import InputError, readable_damage

T = TypeVar("T")
Probability = Annotated[float, Field(ge=0, le=1)]
# A measure between 0 and 1 may miss them by rounding.
Share = Annotated[float, Field(ge=-1e-9, le=1 + 1e-9)]
Number = Annotated[float, Field(allow_inf_nan=False)]
Amount = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=0)]
Interval = tuple[Number, Number]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


def read_record(path: Path | str, kind: Any) -> Any:
    """Read a JSON file and check it.

    Parameters
    ----------
    path
        JSON file.
    kind
        Type that the content must be of: a TypedDict or a dataclass with ranges in its
        annotations. Keys that it does not name are not looked at.

    Returns
    -------
    Any
        The content, as JSON says it.

    Raises
    ------
    InputError
        The file is not JSON, or a key is missing or holds what it must not; file and key are
        named.
    """
    return parse_record(Path(path).read_bytes(), kind, path)


def parse_record(
    content: bytes | str, kind: Any, path: Path | str, remedy: str = "delete it and run again"
) -> Any:
    """The same of JSON that stands in a file of another form, or comes from elsewhere.

    `path` and `remedy`, what the user can do, are for messages.
    """
    _validated(content, kind, path, remedy, strict=True)
    with readable_damage(path, remedy):
        return json.loads(content)


def read_object(path: Path | str, kind: type[T]) -> T:
    """Read a JSON file as an object of a dataclass, as its `asdict` was written.

    Raises
    ------
    InputError
        As of `read_record`.
    """
    found: T = _validated(
        Path(path).read_bytes(), kind, path, "delete it and run again", strict=False
    )
    return found


def _validated(
    content: bytes | str, kind: Any, path: Path | str, remedy: str, *, strict: bool
) -> Any:
    """The content as its type has it; strict takes no text for a number."""
    try:
        return _adapter(kind).validate_json(content, strict=strict)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        known = first["type"] not in ("missing", "json_invalid")
        got = f", got {first['input']!r:.80}" if known else ""
        raise InputError(
            f"{path} is damaged ({f'{where}: ' if where else ''}{first['msg']}{got}); {remedy}"
        ) from error


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)
