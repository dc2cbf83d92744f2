"""Machine code: a loop in plain Python that is compiled when it is first called, and kept on disk where one may write.

Nothing is compiled at import. No arithmetic is reordered or fused, so a sum has the bits of the same sum in numpy
taken in the same order, on every machine and for every number of workers. A loop may call other compiled loops of its
own module: they become part of it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from types import FunctionType
from typing import Any, TypeVar, cast

Loop = TypeVar("Loop", bound=Callable[..., Any])


def compiled(function: Loop) -> Loop:
    """The function as machine code, run without the interpreter's lock."""
    fast: list[Loop] = []

    def machine() -> Loop:
        if not fast:
            fast.append(_machine_code(function))
        return fast[0]

    @wraps(function)
    def call(*args: Any) -> Any:
        return machine()(*args)

    call.machine = machine  # type: ignore[attr-defined]  # for loops that call this one
    return cast(Loop, call)


def _machine_code(function: Loop) -> Loop:
    from numba import njit

    bare = _with_machine_code_inside(function)
    try:
        return cast(Loop, njit(nogil=True, cache=True)(bare))
    except RuntimeError:  # nowhere to keep it: a read-only installation without a home
        return cast(Loop, njit(nogil=True)(bare))


def _with_machine_code_inside(function: Any) -> Any:
    """The same function, in which other compiled loops that it names stand as machine code."""
    names = {name: function.__globals__.get(name) for name in function.__code__.co_names}
    inside = {name: part.machine() for name, part in names.items() if hasattr(part, "machine")}
    if not inside:
        return function
    made = FunctionType(function.__code__, {**function.__globals__, **inside}, function.__name__, function.__defaults__)
    made.__qualname__ = function.__qualname__
    made.__module__ = function.__module__
    return made
