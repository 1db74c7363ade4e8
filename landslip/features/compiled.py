"""Loops over pixels compiled to machine code that runs without the interpreter's lock."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

from numba import njit

_Function = TypeVar("_Function", bound=Callable[..., Any])


def compiled(function: _Function) -> _Function:
    """Compile a function when it is first called, and keep the machine code beside its source.

    Arithmetic is as written. Were sums free to be reordered (`fastmath`), the process that compiles
    would find other last bits than those that load what it kept.

    The code kept is discarded when the function's own file changes, not when another does: a
    compiled function must call no compiled function of another module.
    """
    try:
        return cast(_Function, njit(cache=True, nogil=True)(function))
    except RuntimeError:
        # neither the source's folder nor the user's can be written: compile in every run
        return cast(_Function, njit(nogil=True)(function))
