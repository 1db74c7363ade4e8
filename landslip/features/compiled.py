"""Loops over pixels compiled to machine code that runs without the interpreter's lock."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

from numba import njit

_Function = TypeVar("_Function", bound=Callable[..., Any])

# Sums may be taken in any order, in registers side by side. Not "fast": NaN, infinity and
# subnormal numbers keep their meaning.
_REORDERED = {"reassoc", "contract", "nsz"}


def compiled(*, reorder_sums: bool = False) -> Callable[[_Function], _Function]:
    """Compile a function when it is first called, and keep the machine code beside its source.

    The code kept is discarded when the function's own file changes, not when another does: a
    compiled function must call no compiled function of another module.
    """

    def decorate(function: _Function) -> _Function:
        options: dict[str, Any] = {
            "nogil": True,
            "fastmath": _REORDERED if reorder_sums else False,
        }
        try:
            return cast(_Function, njit(cache=True, **options)(function))
        except RuntimeError:
            # neither the source's folder nor the user's can be written: compile in every run
            return cast(_Function, njit(**options)(function))

    return decorate
