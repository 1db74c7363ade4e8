"""What every part of the config is made of."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, get_args

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    model_validator,
)

Name = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$")]
Fraction = Annotated[float, Field(ge=0, le=1)]


class Section(BaseModel):
    """A part of the config: unknown keys are refused, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _truth_is_no_number(cls, values: Any) -> Any:
        """Hand `n: yes` on as text, for Python would take it for 1."""
        if not isinstance(values, Mapping):
            return values
        numeric = {
            name
            for name, field in cls.model_fields.items()
            if {int, float} & set(_types(field.annotation))
        }
        return {
            key: _truth_as_text(value) if key in numeric else value for key, value in values.items()
        }


def _types(annotation: Any) -> Iterator[Any]:
    """A type and those that it is made of."""
    yield annotation
    for part in get_args(annotation):
        yield from _types(part)


def _truth_as_text(value: Any) -> Any:
    if isinstance(value, list):
        return [_truth_as_text(item) for item in value]
    return shown(value) if isinstance(value, bool) else value


def expecting(words: str) -> WrapValidator:
    """Refuse what none of several types takes in one sentence that names them all."""

    def check(value: Any, handler: ValidatorFunctionWrapHandler) -> Any:
        try:
            return handler(value)
        except ValidationError:
            raise ValueError(f"expected {words}; got {shown(value)}") from None

    return WrapValidator(check)


def shown(value: Any) -> str:
    """A value as its config file may have it, cut where it is long."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:76]} ..."
